package doctor

import (
	"context"
	"fmt"
	"time"
)

func (m *Machine) source() Finding {
	word, ok := m.text("sys/devices/system/clocksource/clocksource0/current_clocksource")
	if !ok {
		return unknown("clock", "clock source")
	}
	f := Finding{Group: "clock", Name: "clock source", Level: OK, Found: word}
	if word == "hpet" || word == "acpi_pm" || word == "jiffies" {
		f.Level, f.Advice = Warn, "reading this clock is slow and every token is stamped with it; boot with clocksource=tsc if the machine's TSC is stable"
	}
	return f
}

func (m *Machine) resolution() Finding {
	d := m.Tick()
	f := Finding{Group: "clock", Name: "resolution", Level: OK, Found: fmt.Sprintf("the clock moves in steps of %v", d)}
	if d > 100*time.Microsecond {
		f.Level, f.Advice = Warn, "latencies are not finer than that"
	}
	return f
}

// Limits of timer lateness: the guard of a run trips at 20 ms.
const (
	lateWarn  = 10 * time.Millisecond
	lateGuard = 20 * time.Millisecond
)

// lateness measures how late a waiting thread is woken while so many cores are kept busy: the floor of
// every latency that is measured here.
func (m *Machine) lateness(ctx context.Context, busy int) Finding {
	p50, p99 := m.Late(ctx, busy)
	name, while := "timer", "idle"
	if busy > 0 {
		name, while = "timer, busy", fmt.Sprintf("with %d busy", busy)
	}
	f := Finding{Group: "clock", Name: name, Level: OK,
		Found: fmt.Sprintf("wakes %v late (p50), %v (p99), %s", p50.Round(time.Microsecond), p99.Round(time.Microsecond), while)}
	switch {
	case p99 > lateGuard:
		f.Level, f.Advice = Warn, fmt.Sprintf("above %v a run's verdict is unknown: other work is taking the cores, end it", lateGuard)
	case p99 > lateWarn:
		f.Level, f.Advice = Warn, "other work is taking the cores; verdicts may be unknown until it ends"
	}
	return f
}
