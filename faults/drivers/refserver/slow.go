package refserver

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/admin"
)

// brake is gpu.slow: a throttled device.
type brake struct {
	server control

	mu    sync.Mutex
	armed map[string]map[string]admin.Device // as they were once throttled, by fault id and target
}

func newBrake(s control) *brake {
	return &brake{server: s, armed: map[string]map[string]admin.Device{}}
}

const (
	// provingSteps is how many steps since arming an observation needs: the first of them may have been
	// under way before.
	provingSteps = 2
	// nearOne is how much of a fault's extra time may be left in the ratio of a device that is free of it.
	nearOne = 0.25
)

func (d *brake) arm(ctx context.Context, id string, f faults.Fault, targets []string) error {
	factor, err := f.Multiple("factor")
	if err != nil {
		return err
	}
	jitter, err := f.Share("jitter")
	if err != nil {
		return err
	}
	for _, target := range targets {
		req := admin.ThrottleRequest{ID: id, Factor: factor, Jitter: jitter, Seed: f.Seed, Ramp: f.Ramp, TTL: f.For + holdMargin}
		if err := d.server.throttle(ctx, target, req); err != nil {
			return err
		}
	}
	state, err := d.server.state(ctx)
	if err != nil {
		return err
	}
	then := map[string]admin.Device{}
	for _, target := range targets {
		if dev, there := device(state, target); there {
			then[target] = dev
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed[id] = then
	return nil
}

// prove holds when the steps of every target since arming, the newest of them where there are many
// (the fault may ramp), took at least half of the extra time. The throttle itself is only looked for:
// without it the time is somebody else's doing.
func (d *brake) prove(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	factor, err := f.Multiple("factor")
	if err != nil {
		return faults.Proof{}, err
	}
	d.mu.Lock()
	armed := d.armed[id]
	d.mu.Unlock()
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		dev, there := device(state, target)
		then, known := armed[target]
		switch {
		case !there:
			return faults.Proof{Evidence: fmt.Sprintf("the server has no GPU %s any more", target)}, nil
		case !known || !d.bears(dev, id):
			return faults.Proof{Evidence: fmt.Sprintf("nothing holds %s down: %s", target, newest(dev))}, nil
		case dev.StepsTotal < then.StepsTotal+provingSteps:
			return faults.Proof{Evidence: fmt.Sprintf("%s has run too few steps yet to tell", target)}, nil
		}
		ratio, said := dev.StepRatio, newest(dev)
		if n := dev.StepsTotal - then.StepsTotal; n < uint64(dev.StepsWatched) {
			ratio = (dev.StepSeconds - then.StepSeconds) / (dev.StepModelSeconds - then.StepModelSeconds)
			said = took(int(n), ratio)
		}
		if !(ratio >= 1+(factor-1)/2) {
			return faults.Proof{Evidence: fmt.Sprintf("%s is not slow enough: %s", target, said)}, nil
		}
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s is slow: %s", target, said)}, nil
	})
}

// gone holds when every target is free of the throttle and its newest steps took about what an
// undisturbed device needs, or it ran none lately.
func (d *brake) gone(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error) {
	factor, err := f.Multiple("factor")
	if err != nil {
		return faults.Proof{}, err
	}
	state, err := d.server.state(ctx)
	if err != nil {
		return faults.Proof{}, err
	}
	return every(targets, func(target string) (faults.Proof, error) {
		dev, there := device(state, target)
		switch {
		case !there:
			return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s does not exist any more", target)}, nil
		case d.bears(dev, id):
			return faults.Proof{Evidence: fmt.Sprintf("%s is still held down by the fault: %s", target, newest(dev))}, nil
		case dev.StepRatio > 1+(factor-1)*nearOne:
			return faults.Proof{Evidence: fmt.Sprintf("nothing of the fault holds %s down, yet %s", target, newest(dev))}, nil
		}
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("nothing of the fault holds %s down: %s", target, newest(dev))}, nil
	})
}

func (d *brake) bears(dev admin.Device, id string) bool {
	return slices.ContainsFunc(dev.Throttles, func(t admin.Throttle) bool { return t.ID == id && !t.Gone })
}

func (d *brake) free(ctx context.Context, now admin.State, id string, targets []string) []error {
	return freeDevices(now, targets,
		func(dev admin.Device) bool { return d.bears(dev, id) },
		func(target string) error { return d.server.unthrottle(ctx, target, id) })
}

func (d *brake) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.armed, id)
}

// newest is the server's observation in words.
func newest(dev admin.Device) string {
	if dev.StepsWatched == 0 {
		return "it is idle"
	}
	return took(dev.StepsWatched, dev.StepRatio)
}

func took(steps int, ratio float64) string {
	return fmt.Sprintf("its last %d steps took %.1f times what the model gives them", steps, ratio)
}
