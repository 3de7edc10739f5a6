package lies

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/brownout-dev/brownout/reports/baseline"
)

// ofBaselines are lies about what it was before.
func ofBaselines() []Lie {
	return []Lie{
		{
			Name:  "a baseline from another machine",
			Told:  "the baseline was made on another CPU; beside it this build looks half as fast again",
			Truth: "unknown: latencies of two machines say nothing about two builds",
			Tell:  anotherMachine,
			Guard: []Edit{{"reports/compare/machine.go", "refused = append(refused, text)", "warnings = append(warnings, text)"}},
		},
	}
}

func anotherMachine(s *Stage) error {
	p := plan{rate: 60, output: 32, phases: "[{name: all, for: 6s}]", limits: "ttft: 1s, e2e: 3s", gates: "run: [goodput >= 90%]"}.yaml()
	file := filepath.Join(s.dir, "baseline.json")
	for range 3 {
		o, err := s.run(p, nil, "--save-baseline", file)
		if err := errors.Join(err, o.expect(pass, "")); err != nil {
			return err
		}
	}
	base, err := baseline.Read(file)
	if err != nil {
		return err
	}
	for i := range base.Trials {
		base.Trials[i].Environment["cpu"] = "Another CPU"
	}
	if err := baseline.Write(file, base); err != nil {
		return err
	}
	o, err := s.run(p, nil, "--baseline", file, "--set", "target.refserver.settings.cluster.slowdown=1.5")
	if err == nil && o.Result.ExitCode == unknown {
		return fmt.Errorf("%w: %v", errBusy, o.Result.Summary)
	}
	return errors.Join(err, o.expect(unknown, ""))
}
