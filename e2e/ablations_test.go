package e2e

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// Each ablation makes the server worse in the number that it is about. By how much is for docs/ablations.md.
func TestE2EAblations(t *testing.T) {
	for _, c := range []struct {
		scenario string
		what     string
		harm     func(series.Trial) float64 // more is worse
	}{
		{"ablation-resume", "lost requests", func(t series.Trial) float64 { return float64(t.Figures.Lost) }},
		{"ablation-breaker", "requests not good", func(t series.Trial) float64 { return float64(t.Due - t.Good) }},
		{"ablation-timeouts", "E2E p99", func(t series.Trial) float64 { return seconds(t.Figures.E2EP99) }},
		{"ablation-batching", "good requests/s, less of them", func(t series.Trial) float64 { return -t.Figures.Good }},
		{"ablation-async", "completed requests/s, less of them", func(t series.Trial) float64 { return -t.Figures.Completed }},
	} {
		t.Run(c.scenario, func(t *testing.T) {
			dir := t.TempDir()
			a := Call(t, 10*time.Minute, nil, "run", c.scenario, "--trials", "1", "--out", dir, "--quiet")
			s, at := onlySeries(t, dir)
			require.Len(t, s.Variants, 2, "%s\n%s", a.Stdout, a.Stderr)
			with, without := s.Variants[0].Trials[0], s.Variants[1].Trials[0]
			t.Logf("%s: %g, without %g\n%s", c.what, c.harm(with), c.harm(without), a.Stdout)
			assert.Greater(t, c.harm(without), c.harm(with), "%s\n%s", c.what, a.Stdout)
			assert.Contains(t, a.Stdout, "Side by side")
			assert.FileExists(t, at+"/report.html")
			if s.Scenario.Published != "" {
				assert.Contains(t, strings.Join(strings.Fields(a.Stdout), " "), "Published for another system: "+s.Scenario.Published)
			}
		})
	}
}

// seconds is a percentile, failures as infinite; one without enough samples is not a number.
func seconds(v *float64) float64 {
	switch {
	case v == nil:
		return math.NaN()
	case *v == slo.Infinite:
		return math.Inf(1)
	}
	return *v
}

// A setting that the server does not have, or that a run owns, is found before anything starts.
func TestE2ESettingsAreChecked(t *testing.T) {
	for setting, want := range map[string]string{
		"router.resume=0":          `there is no key "resume" here; did you mean "resumes"?`,
		"cluster.max_sequences=-1": "the server says",
		"router.retries=-1":        "-1 is not between 0 and 100",
		"admin.listen=x":           "a run sets its own listener",
	} {
		for _, command := range []string{"validate", "explain", "run"} {
			a := Call(t, time.Minute, nil, command, "steady", "--set", "target.refserver.settings."+setting)
			assert.Equal(t, 1, a.Code, setting)
			assert.Contains(t, a.Stderr, want, command)
			assert.Contains(t, a.Stderr, "target.refserver.settings.")
		}
	}
	a := Call(t, time.Minute, nil, "explain", "steady", "--set", "target.refserver.settings.router.retries=1")
	assert.Equal(t, 0, a.Code, a.Stderr)
	assert.Contains(t, a.Stdout, "with router.retries=1")
}
