package lies

import (
	"errors"
	"fmt"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/faultstest"
	"github.com/brownout-dev/brownout/internal/fakellm"
)

func drivers(d ...faults.Driver) []faults.Driver { return d }

// ofFaults are lies about what a fault did.
func ofFaults() []Lie {
	healthy := fakellm.Script{TTFT: 5 * time.Millisecond}
	phases := "[{name: before, for: 1s}, {name: fault, for: 2s}, {name: after, for: 3s}]"
	return []Lie{
		{
			Name:  "a fault that did nothing",
			Told:  "the injector accepts the fault and nothing happens; the service survives it brilliantly",
			Truth: "unknown: no effect was ever observed",
			Tell: func(s *Stage) error {
				w, err := s.world(healthy)
				if err != nil {
					return err
				}
				w.driver.Follow(faultstest.Script{Unproven: true})
				o, err := w.run(plan{rate: 50, phases: phases, fault: onPlace("1s"), gates: "run: [goodput >= 99%], recovery: [ttr <= 2s]"})
				return errors.Join(err, o.expect(unknown, "unproven"))
			},
			Guard: []Edit{
				{"reports/slo/guards.go", `Unit: "faults", Tripped: n > 0}`, `Unit: "faults"}`},
				{"reports/slo/gate_recovery.go", `return finding{verdict: Unknown, why: "was never proven to take effect"}`, `return finding{verdict: Pass}`},
			},
		},
		{
			Name:  "a fault on an idle replica",
			Told:  "the fault is real, but its replica serves nobody; not one request is lost",
			Truth: "unknown: nothing was tested",
			Tell: func(s *Stage) error {
				w, err := s.world(healthy)
				if err != nil {
					return err
				}
				o, err := w.run(plan{rate: 50, phases: phases, fault: `at: fault, inject: "gpu.oom on gpu=n2/g1 for 1s"`, gates: "run: [goodput >= 99%], recovery: [ttr <= 2s]"})
				return errors.Join(err, o.expect(unknown, "idle"))
			},
			Guard: []Edit{{"reports/slo/exposure.go", "		if !j.used(f) {", "		if false {"}},
		},
		{
			Name:  "a recovery that relapses",
			Told:  "one second after the harm began requests are good again; a second later they are not",
			Truth: "fail: recovered is when service stays good",
			Tell: func(s *Stage) error {
				w, err := s.world(healthy)
				if err != nil {
					return err
				}
				w.sick = func(d time.Duration) bool {
					return d < time.Second || (d > 2500*time.Millisecond && d < 3500*time.Millisecond)
				}
				longer := "[{name: before, for: 1s}, {name: fault, for: 3s}, {name: after, for: 5s}]"
				o, err := w.run(plan{rate: 50, phases: longer, fault: onPlace("1s"), gates: "recovery: [ttr <= 2s]"})
				if err := errors.Join(err, o.expect(fail, "")); err != nil {
					return err
				}
				if r := o.Result.Judgement.Faults[0]; r.Relapses != 1 || r.TTR == nil || *r.TTR < 2.9 {
					return fooled("one relapse and a TTR of 3.5 s is the truth, not %d and %v", r.Relapses, r.TTR)
				}
				return nil
			},
			Guard: []Edit{
				{"reports/slo/stamps.go", "lasts := c.until-c.from >= hold", "lasts := c.until-c.from >= hold/10"},
				{"reports/slo/stamps.go", "c.until >= r.Cleared+hold {", "c.until >= c.from+hold/10 {"},
			},
		},
		{
			Name:  "gone before it was noticed",
			Told:  "the fault and the harm last half a second, and no part of the system says a word about it",
			Truth: "fail: nobody noticed, which is no time to detection of zero",
			Tell: func(s *Stage) error {
				w, err := s.world(healthy)
				if err != nil {
					return err
				}
				w.sick = func(d time.Duration) bool { return d < 500*time.Millisecond }
				o, err := w.run(plan{rate: 50, phases: phases, fault: onPlace("500ms"), gates: "recovery: [ttd <= 1s]"})
				return errors.Join(err, o.expect(fail, ""))
			},
			Guard: []Edit{{"reports/slo/gate_recovery.go", `return finding{verdict: Fail, why: "was never noticed by the system"}`, `return finding{verdict: Pass}`}},
		},
		{
			Name:  "a fault that never went away",
			Told:  "the injector answers that the fault is cleared; it still is there, and the service lives with it",
			Truth: "unknown: its end was not observed",
			Tell: func(s *Stage) error {
				w, err := s.world(healthy)
				if err != nil {
					return err
				}
				w.driver.Follow(faultstest.Script{Stays: true})
				o, err := w.run(plan{rate: 50, phases: phases, fault: onPlace("1s"), gates: "run: [goodput >= 99%]"})
				return errors.Join(err, o.expect(unknown, "unproven"))
			},
			Guard: []Edit{{"reports/slo/guards.go", `none("unproven", "faults never proven gone", held)`, `none("unproven", "faults never proven gone", 0)`}},
		},
	}
}

// onPlace is a fault on the replica that serves everybody.
func onPlace(length string) string {
	return fmt.Sprintf(`at: fault, inject: "gpu.oom on gpu=%s for %s"`, place, length)
}
