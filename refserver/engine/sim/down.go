package sim

// Down kills the engine's process as the loss of its node does, and keeps a new one from starting
// until Up. It returns when requests are refused. Idempotent.
func (e *Engine) Down() { e.desk.hold() }

// Up lets Run load a new process after Down. Idempotent.
func (e *Engine) Up() {
	e.desk.mu.Lock()
	defer e.desk.mu.Unlock()
	e.desk.permit()
}

func (d *desk) hold() {
	d.mu.Lock()
	if d.down == nil && !d.shutdown {
		d.down = make(chan struct{})
	}
	d.mu.Unlock()
	d.kill(reasonNode)
}

// permit is called with mu held.
func (d *desk) permit() {
	if d.down != nil {
		close(d.down)
		d.down = nil
	}
}

// awaitPermit blocks while no process may start. Shutdown permits.
func (d *desk) awaitPermit() {
	for {
		d.mu.Lock()
		down := d.down
		d.mu.Unlock()
		if down == nil {
			return
		}
		<-down
	}
}
