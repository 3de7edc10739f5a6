package agent

import (
	"context"
	"fmt"

	"github.com/brownout-dev/brownout/faults"
)

// Every call of a driver goes through here: bounded in time, deaf to the caller's hanging up (a
// half-done harm is worse than a late answer), and a panic is an error of that driver.

func (a *Agent) candidates(ctx context.Context, d faults.Driver) (map[string][]string, error) {
	return drive(ctx, a, d, "list its targets", func(ctx context.Context) (map[string][]string, error) {
		return d.Candidates(ctx)
	})
}

func (a *Agent) armCall(ctx context.Context, h *holding) ([]byte, error) {
	return drive(ctx, a, h.driver, "arm "+h.id, func(ctx context.Context) ([]byte, error) {
		return h.driver.Arm(ctx, h.id, h.fault, h.targets)
	})
}

func (a *Agent) proveCall(ctx context.Context, h *holding) (faults.Proof, error) {
	return drive(ctx, a, h.driver, "prove "+h.id, func(ctx context.Context) (faults.Proof, error) {
		return h.driver.Prove(ctx, h.id, h.fault, h.targets)
	})
}

func (a *Agent) clearCall(ctx context.Context, h *holding) error {
	_, err := drive(ctx, a, h.driver, "clear "+h.id, func(ctx context.Context) (struct{}, error) {
		return struct{}{}, h.driver.Clear(ctx, h.id, h.undo)
	})
	return err
}

func (a *Agent) goneCall(ctx context.Context, h *holding) (faults.Proof, error) {
	return drive(ctx, a, h.driver, "prove that "+h.id+" is gone", func(ctx context.Context) (faults.Proof, error) {
		return h.driver.ProveGone(ctx, h.id, h.fault, h.targets)
	})
}

func drive[T any](ctx context.Context, a *Agent, d faults.Driver, what string, call func(context.Context) (T, error)) (out T, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.CallWithin)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil {
			err = fmt.Errorf("%w: driver %s could not %s: %w", faults.ErrDriver, d.Name(), what, err)
		}
	}()
	return call(ctx)
}
