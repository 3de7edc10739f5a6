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
	armed map[string]map[string]uint64 // steps there were once it was throttled, by fault id and target
}

func newBrake(s control) *brake { return &brake{server: s, armed: map[string]map[string]uint64{}} }

const (
	// provingSteps is how many steps since arming an observation needs: one may be a late wake-up.
	provingSteps = 4
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
	steps := map[string]uint64{}
	for _, target := range targets {
		if dev, there := device(state, target); there {
			steps[target] = dev.StepsTotal
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.armed[id] = steps
	return nil
}

// prove holds when the newest steps of every target, some of them since arming, took at least half of
// the extra time. The throttle itself is only looked for: without it the time is somebody else's doing.
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
	half := 1 + (factor-1)/2
	return every(targets, func(target string) (faults.Proof, error) {
		dev, there := device(state, target)
		before, known := armed[target]
		switch {
		case !there:
			return faults.Proof{Evidence: fmt.Sprintf("the server has no GPU %s any more", target)}, nil
		case !d.bears(dev, id) || !known:
			return faults.Proof{Evidence: fmt.Sprintf("nothing holds %s down: %s", target, measured(dev))}, nil
		case dev.StepsTotal < before+provingSteps:
			return faults.Proof{Evidence: fmt.Sprintf("%s ran too few steps since to tell (%d of %d)", target, dev.StepsTotal-min(before, dev.StepsTotal), provingSteps)}, nil
		case dev.StepRatio < half:
			return faults.Proof{Evidence: fmt.Sprintf("%s is not slow enough: %s", target, measured(dev))}, nil
		}
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("%s is slow: %s", target, measured(dev))}, nil
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
			return faults.Proof{Evidence: fmt.Sprintf("%s is still held down by the fault: %s", target, measured(dev))}, nil
		case dev.StepRatio > 1+(factor-1)*nearOne:
			return faults.Proof{Evidence: fmt.Sprintf("nothing of the fault holds %s down, yet %s", target, measured(dev))}, nil
		}
		return faults.Proof{Holds: true, Evidence: fmt.Sprintf("nothing of the fault holds %s down: %s", target, measured(dev))}, nil
	})
}

func (d *brake) bears(dev admin.Device, id string) bool {
	return slices.ContainsFunc(dev.Throttles, func(t admin.Throttle) bool { return t.ID == id && !t.Gone })
}

func (d *brake) release(ctx context.Context, id, target string) error {
	return d.server.unthrottle(ctx, target, id)
}

func (d *brake) forget(id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.armed, id)
}

// measured is the observation in words.
func measured(dev admin.Device) string {
	if dev.StepsWatched == 0 {
		return "it is idle"
	}
	return fmt.Sprintf("its last %d steps took %.1f times what the model gives them", dev.StepsWatched, dev.StepRatio)
}
