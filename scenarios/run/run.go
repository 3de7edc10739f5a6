// Package run carries out one run: start the target, aim, drive load and faults through a k6 child,
// gather everything onto one clock, judge, and write the result.
//
// What may not live here: parsing scenarios (spec), measuring (k6ext), judging (reports/slo),
// drawing (reports/render).
package run

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// Exit codes of a run.
const (
	ExitPass        = 0
	ExitError       = 1
	ExitUnknown     = 3
	ExitFail        = 99
	ExitInterrupted = 130
)

// Config is one run.
type Config struct {
	Spec   *spec.Spec
	Binary string // of brownout itself: server and load generator are its children
	Out    string // directory that gets a directory for this run
	// Adopted is a server that was there already; nil starts the scenario's own.
	Adopted *target.Target
	// Keep leaves the target running when the run ends: the caller stops it.
	Keep bool
	// Docker lets a fault agent of ours kill an adopted server's nodes as containers.
	Docker bool
	// Progress is called about once a second, and Say for each step that takes time. Both on one goroutine at a time.
	Progress func(load.Progress)
	Say      func(string)
}

// ErrInterrupted is returned with the result of a run that was stopped on the way.
var ErrInterrupted = errors.New("interrupted")

// Done is a finished run.
type Done struct {
	Result  result.Result
	Dir     string
	Records []record.Record // what the load generator measured, on the harness's clock
}

// Run carries it out. An error means that there is no verdict (nothing could be judged); a verdict
// that is not pass is no error.
func Run(ctx context.Context, c Config) (Done, error) {
	if c.Spec.Unresolved() {
		return Done{}, fmt.Errorf("scenario %s sends %s of saturation, which is not known for this target; measure it with brownout saturate", c.Spec.Name, c.Spec.ShareText())
	}
	started := time.Now()
	r := &running{Config: c, clock: event.NewClock(), started: started,
		id: result.NewRunID(started, c.Spec.Name, newRandom())}
	r.dir = filepath.Join(c.Out, r.id)
	if err := os.MkdirAll(r.dir, 0o755); err != nil {
		return Done{}, fmt.Errorf("cannot make the run's directory: %w; choose another with --out", err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "scenario.yaml"), c.Spec.Effective, 0o644); err != nil {
		return Done{}, err
	}
	if err := r.aim(ctx); err != nil {
		r.stop()
		return Done{}, err
	}
	defer r.stop()
	fired, err := r.fire(ctx)
	if err != nil {
		return Done{}, err
	}
	res := r.report(ctx, fired)
	if err := result.Write(r.dir, res); err != nil {
		return Done{}, err
	}
	return Done{Result: res, Dir: r.dir, Records: r.records}, nil
}

// running is one run on its way. Only the goroutine of Run writes it.
type running struct {
	Config
	clock   *event.Clock
	started time.Time
	id, dir string

	target *target.Target
	server *server // its admin listener and fault holder, as far as there are any
	sat    saturation
	// What the fault machinery costs while nothing is on; nil without faults.
	injector *result.Injector
	exact    bool         // what the target answers is known beforehand, token by token
	before   []slo.Reason // problems found on the way

	records []record.Record // once gathered
}

// saturation is the timing model's answer; zero = unknown.
type saturation struct{ all, minus1 float64 }

func (r *running) problem(word, format string, args ...any) {
	r.before = append(r.before, slo.Reason{Word: word, Text: sentence(fmt.Sprintf(format, args...))})
}

// sentence is text as the verdict prints reasons: a capital first, a full stop last.
func sentence(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// aim starts (or takes) the target, waits until it is ready, and makes sure that every fault has
// something to hit, all before the first request.
func (r *running) aim(ctx context.Context) error {
	r.target = r.Adopted
	if r.target == nil {
		r.Say("starting the reference server")
		t, err := target.StartRefserver(ctx, target.Refserver{
			Binary: r.Binary, Dir: r.dir, Preset: r.Spec.Target.Preset,
			ConfigFile: r.Spec.Target.ConfigFile, Resilience: r.Spec.Target.Resilience, Topology: r.Spec.Target.Topology,
			Settings: r.Spec.Target.Settings,
		})
		if err != nil {
			return err
		}
		r.target = t
	}
	if err := r.target.Ready(ctx, time.Minute); err != nil {
		return err
	}
	if len(r.Spec.Faults) > 0 && r.target.CanHoldFaults() {
		r.Say("starting a fault agent")
		if err := r.target.HoldFaults(ctx, r.Binary, r.dir, r.Docker); err != nil {
			return err
		}
	}
	var err error
	if r.server, err = newServer(r.target, r.clock); err != nil {
		return err
	}
	if len(r.Spec.Faults) > 0 {
		if err := r.server.canHarm(ctx, r.Spec); err != nil {
			return err
		}
	}
	if err := r.server.meet(ctx); err != nil {
		return err
	}
	if r.Adopted != nil {
		if err := r.server.skipPast(ctx); err != nil {
			return err
		}
	}
	if len(r.Spec.Faults) > 0 {
		if r.injector, err = injector(ctx, r.server.faults, r.target.AgentPID()); err != nil {
			return err
		}
	}
	r.sat = r.server.saturation(ctx, r.Spec.Load)
	r.exact = r.server.simulated(ctx)
	return nil
}

func (r *running) stop() {
	if r.target != nil && !r.Keep {
		r.target.Stop()
	}
}

// newRandom tells runs of the same second apart.
func newRandom() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	return binary.NativeEndian.Uint64(b[:])
}
