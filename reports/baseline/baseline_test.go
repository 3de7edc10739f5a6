package baseline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

var began = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// passed is a run that may be a baseline, the n-th of its day.
func passed(n int) result.Result {
	return result.Result{
		Version: result.Version, Run: fmt.Sprintf("run-%d", n), Started: began.Add(time.Duration(n) * time.Minute), Tool: "brownout 1 (abc)",
		Scenario:  result.Scenario{Name: "steady", Digest: "d1", LoadDigest: "l1", Seed: uint64(n)},
		Target:    result.Target{Kind: "refserver"},
		Judgement: slo.Judgement{Verdict: slo.Pass}, Start: event.Time(1),
		Environment: map[string]string{"cpu": "x", "cpus": "2", "gomaxprocs": "2", "os": "linux/amd64"},
		Samples: &result.Samples{Phases: []result.PhaseSamples{{Phase: "steady", Blocks: []result.BlockSamples{
			{Second: 5, Good: 2, Judged: 3, Failed: 1, NoToken: 1, TTFT: []int{4000, 12}, TPOT: []int{800, 1}, E2E: []int{80000, 5}, Gaps: []int{8000, 3, 64, 1}},
		}}}},
	}
}

func TestSaveGathersRunsOfOneBuild(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".brownout", "baselines", "steady.json")
	save := func(n int, change func(*result.Result)) string {
		t.Helper()
		r := passed(n)
		if change != nil {
			change(&r)
		}
		said, err := Save(path, r, 3)
		require.NoError(t, err)
		return said
	}
	holds := func(want ...string) {
		t.Helper()
		f, err := Read(path)
		require.NoError(t, err)
		var got []string
		for _, one := range f.Trials {
			got = append(got, one.Run)
		}
		assert.Equal(t, want, got)
	}
	assert.Contains(t, save(1, nil), "is a new baseline with run run-1. It holds 1 run; save 2 more")
	assert.Contains(t, save(2, nil), "2 runs; save 1 more")
	assert.True(t, strings.HasSuffix(save(3, nil), "It holds 3 runs."))
	assert.Contains(t, save(4, nil), "The oldest 1 run left it.")
	holds("run-2", "run-3", "run-4")

	for name, change := range map[string]func(*result.Result){
		"the build":                    func(r *result.Result) { r.Tool = "brownout 1 (def)" },
		"what was asked":               func(r *result.Result) { r.Scenario.LoadDigest = "l2" },
		"the scenario":                 func(r *result.Result) { r.Scenario.Digest = "d2" },
		"the machine's cpu (x → y)":    func(r *result.Result) { r.Environment["cpu"] = "y" },
		"the machine's gomaxprocs (2 ": func(r *result.Result) { r.Environment["gomaxprocs"] = "4" },
		"the kind of target":           func(r *result.Result) { r.Target.Kind = "foreign" },
	} {
		path = filepath.Join(t.TempDir(), "b.json")
		save(1, nil)
		save(2, nil)
		said := save(3, change)
		assert.Contains(t, said, "starts anew with run run-3; before it held 2 runs, which differ in "+name)
		holds("run-3")
	}
}

func TestOnlyARunThatPassesIsSaved(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.json")
	_, err := Save(path, passed(1), 5)
	require.NoError(t, err)
	before, err := os.ReadFile(path)
	require.NoError(t, err)
	for want, change := range map[string]func(*result.Result){
		"run-2 is fail":    func(r *result.Result) { r.Judgement.Verdict = slo.Fail },
		"run-2 is unknown": func(r *result.Result) { r.Judgement.Verdict = slo.Unknown },
		"holds no samples": func(r *result.Result) { r.Samples = nil },
	} {
		r := passed(2)
		change(&r)
		_, err := Save(path, r, 5)
		require.ErrorContains(t, err, want)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, before, after, "the file stays as it is")
	}
	// A file that is something else is never replaced.
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err = Save(path, passed(2), 5)
	require.ErrorContains(t, err, "not a usable baseline")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(text))
}

// A list is a line, so that a diff shows seconds, not numbers.
func TestFilesAreMadeForGit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.json")
	_, err := Save(path, passed(1), 5)
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Contains(t, string(text), "\"ttft_10us\": [4000,12],\n")
	assert.True(t, bytes.HasSuffix(text, []byte("}\n")))
}

func TestReadRefuses(t *testing.T) {
	good, err := json.Marshal(File{Version: Version, Trials: func() []compare.Trial { one, _ := compare.TrialOf(passed(1)); return []compare.Trial{one} }()})
	require.NoError(t, err)
	_, err = decode(good)
	require.NoError(t, err)
	for name, tc := range map[string]struct{ from, to, want string }{
		"not JSON":      {"{", "", "it is not JSON"},
		"other version": {"baseline/v1", "baseline/v2", "this program reads"},
		"a result":      {"brownout.baseline/v1", "brownout.result/v1", "it is not a baseline"},
		"negative":      {"[4000,12]", "[4000,-12]", "-12 in second 5 of phase steady"},
		"huge":          {"[4000,12]", "[4000,900000000000]", "900000000000"},
		"more good":     {`"good":2`, `"good":9`, "-6 in second 5"},
		"no load":       {`"load_digest":"l1"`, `"load_digest":""`, "does not say what it was asked"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(good), tc.from)
			_, err := decode(bytes.Replace(good, []byte(tc.from), []byte(tc.to), 1))
			require.ErrorContains(t, err, tc.want)
		})
	}
	_, err = decode([]byte(`{"version":"` + Version + `"}`))
	require.ErrorContains(t, err, "no trials")
	_, err = Read(filepath.Join(t.TempDir(), "none.json"))
	require.ErrorContains(t, err, "--save-baseline")
}

func TestSideTakesWhateverHoldsRuns(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "b.json")
	for n := range 3 {
		_, err := Save(file, passed(n), 5)
		require.NoError(t, err)
		require.NoError(t, result.Write(filepath.Join(dir, "series", fmt.Sprint("r", n)), passed(n)))
	}
	series := func(variants string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "series", SeriesName), []byte(`{"version":"brownout.series/v1","variants":[`+variants+`]}`), 0o600))
	}
	count := func(path string) int {
		t.Helper()
		s, err := Side(path)
		require.NoError(t, err)
		return len(s.Trials)
	}
	assert.Equal(t, 3, count(file))
	assert.Equal(t, 1, count(filepath.Join(dir, "series", "r1")))
	assert.Equal(t, 1, count(filepath.Join(dir, "series", "r1", "result.json")))
	series(`{"name":"","trials":[{"dir":"r0"},{"dir":"r1"}]}`)
	assert.Equal(t, 2, count(filepath.Join(dir, "series")))
	assert.Equal(t, 2, count(filepath.Join(dir, "series", SeriesName)))
	series(`{"name":"on","trials":[{"dir":"r0"},{"dir":"r1"}]},{"name":"off","trials":[{"dir":"r2"}]}`)
	assert.Equal(t, 1, count(filepath.Join(dir, "series")+"#off"))
	for path, want := range map[string]string{
		filepath.Join(dir, "series"):            "has the variants on, off; name one",
		filepath.Join(dir, "series") + "#maybe": `no variant "maybe"`,
		filepath.Join(dir, "nowhere"):           "cannot be opened",
	} {
		_, err := Side(path)
		require.ErrorContains(t, err, want)
	}
	series(`{"name":"on","trials":[{"dir":"gone"}]}`)
	_, err := Side(filepath.Join(dir, "series"))
	require.ErrorContains(t, err, "gone")
	old := passed(9)
	old.Samples = nil
	require.NoError(t, result.Write(filepath.Join(dir, "old"), old))
	_, err = Side(filepath.Join(dir, "old"))
	require.ErrorIs(t, err, compare.ErrNoSamples)
}

func FuzzDecode(f *testing.F) {
	one, _ := compare.TrialOf(passed(1))
	good, err := json.Marshal(File{Version: Version, Trials: []compare.Trial{one, one}})
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"version":"brownout.baseline/v1","trials":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := decode(text)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		// What was read can be compared with itself and written.
		side := compare.Side{Name: "it", Trials: file.Trials}
		if len(text) < 10_000 {
			_, err = compare.Compare(side, side, compare.Config{Permutations: 5, Draws: 5})
			require.NoError(t, err)
		}
		_, err = json.Marshal(file)
		require.NoError(t, err)
	})
}
