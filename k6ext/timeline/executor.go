package timeline

import (
	"context"

	"go.k6.io/k6/v2/lib"
	"go.k6.io/k6/v2/lib/executor"
	"go.k6.io/k6/v2/metrics"

	"github.com/brownout-dev/brownout/k6ext/session"
)

// Executor walks one plan.
type Executor struct {
	*executor.BaseExecutor
	config  Config
	session *session.Session
	holder  holder
	tags    *metrics.TagSet
}

var _ lib.Executor = (*Executor)(nil)

// Run implements lib.Executor. Faults that fail are recorded and logged; they do not end the load,
// because what it measured until then is still worth having.
func (e *Executor) Run(ctx context.Context, out chan<- metrics.SampleContainer) error {
	e.session.Test.Out(out)
	if e.session.Options() == nil { // no load of ours in this test: time zero is now
		e.session.Start(e.session.Clock.Now())
	}
	select {
	case <-e.session.Zero():
	case <-ctx.Done():
		return nil
	}
	w := walker{
		plan: e.config.Timeline, session: e.session, holder: e.holder, tags: e.tags,
		warn: func(fault string, err error) { e.GetLogger().WithError(err).Errorf("fault %q", fault) },
	}
	// A load that ended before its plan takes the faults with it: nobody would measure them.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-e.session.Over():
			cancel()
		case <-ctx.Done():
		}
	}()
	w.run(ctx)
	return nil
}
