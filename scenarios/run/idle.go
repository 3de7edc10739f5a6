package run

import (
	"context"
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// Idle waits until nothing waits or runs on a target that can say so, at most within; on another it
// waits for settle, since only time can make it idle.
func Idle(ctx context.Context, t *target.Target, settle, within time.Duration) error {
	s, err := newServer(t, event.NewClock())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	until := time.Now().Add(settle)
	for {
		st, err := s.state(ctx, "")
		busy := st.InFlight
		for _, n := range st.Nodes {
			for i := range n.Replicas {
				busy += n.Replicas[i].Running + n.Replicas[i].Waiting
			}
		}
		switch {
		case err == nil && busy == 0:
			return nil
		case t.Admin == "" && !time.Now().Before(until):
			return nil
		}
		select {
		case <-tick.C:
		case <-t.Died():
			return fmt.Errorf("the target ended between two probes; its log is server.log")
		case <-ctx.Done():
			if cause := context.Cause(ctx); cause != context.DeadlineExceeded { //nolint:errorlint // our own time-out, not one wrapped
				return cause
			}
			return fmt.Errorf("the target at %s was still busy %v after the last probe (%d requests); other load reaches it, or it does not let go", t.API, within, busy)
		}
	}
}
