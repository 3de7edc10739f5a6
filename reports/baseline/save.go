package baseline

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// DefaultKeep is how many runs a baseline holds: enough to know the noise between runs.
const DefaultKeep = 5

// Save adds a run to the baseline at path and says in one sentence what it did. Runs of one build, scenario
// and machine gather in it, the newest keep of them. A run of another build or machine, or one that was
// asked something else, starts the baseline anew. Only a run that passed is taken.
func Save(path string, r result.Result, keep int) (string, error) {
	t, ok := compare.TrialOf(r)
	switch {
	case !ok:
		return "", fmt.Errorf("run %s cannot be a baseline: %w", r.Run, compare.ErrNoSamples)
	case r.Judgement.Verdict != slo.Pass:
		return "", fmt.Errorf("the baseline %s stays as it is: run %s is %s, and only a run that passes may be one", path, r.Run, r.Judgement.Verdict)
	case keep < 1:
		return "", fmt.Errorf("a baseline keeps at least one run, not %d", keep)
	}
	old, err := Read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	said := fmt.Sprintf("%s is a new baseline with run %s.", path, t.Run)
	f := File{}
	if err == nil {
		if why := differs(old.Trials[0], t); len(why) > 0 {
			said = fmt.Sprintf("%s starts anew with run %s; before it held %s, which differ in %s.", path, t.Run, runs(len(old.Trials)), strings.Join(why, ", "))
		} else {
			f.Trials = old.Trials
			said = fmt.Sprintf("%s got run %s.", path, t.Run)
		}
	}
	f.Trials = append(f.Trials, t)
	slices.SortStableFunc(f.Trials, func(a, b compare.Trial) int { return a.Started.Compare(b.Started) })
	if over := len(f.Trials) - keep; over > 0 {
		f.Trials = f.Trials[over:]
		said += fmt.Sprintf(" The oldest %s left it.", runs(over))
	}
	said += fmt.Sprintf(" It holds %s", runs(len(f.Trials)))
	if missing := 3 - len(f.Trials); missing > 0 {
		said += fmt.Sprintf("; save %d more, for the noise between runs is known from three on", missing)
	}
	return said + ".", Write(path, f)
}

func runs(n int) string {
	if n == 1 {
		return "1 run"
	}
	return fmt.Sprintf("%d runs", n)
}

// differs lists why two runs cannot be trials of one baseline.
func differs(a, b compare.Trial) (why []string) {
	if a.LoadDigest != b.LoadDigest {
		why = append(why, "what was asked")
	}
	if a.Digest != b.Digest && a.LoadDigest == b.LoadDigest {
		why = append(why, "the scenario")
	}
	if a.TargetKind != b.TargetKind {
		why = append(why, "the kind of target")
	}
	if a.Tool != b.Tool {
		why = append(why, fmt.Sprintf("the build (%s → %s)", a.Tool, b.Tool))
	}
	for _, key := range []string{"cpu", "cpus", "gomaxprocs", "os"} {
		if a.Environment[key] != b.Environment[key] {
			why = append(why, fmt.Sprintf("the machine's %s (%s → %s)", key, a.Environment[key], b.Environment[key]))
		}
	}
	return why
}
