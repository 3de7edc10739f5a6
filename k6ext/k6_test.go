package k6ext

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/cmd"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/k6ext/output"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// The contract with k6: a whole run of the real command in a child process. What is checked here
// is all we rely on that k6 does not promise (executors as an extension point, samples after an
// abort, thresholds on our metrics).

const childEnv = "K6EXT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Args[0] = "k6"
		cmd.Execute() // exits
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// trial is one k6 run.
type trial struct {
	script   string         // "" = the smallest one
	load     map[string]any // scenario of brownout-arrivals; nil = none
	timeline map[string]any
	args     []string
	env      []string
	out      string // file of the shard; "" = one of the test
	whileOn  func(p *os.Process, line load.Progress)
}

// newChild is k6 with a script on its standard input and nothing else.
func newChild(t *testing.T, home, script string) *exec.Cmd {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0], "run", "--quiet", "-")
	child.Env = append(os.Environ(), childEnv+"=1", "K6_NO_USAGE_REPORT=true", "K6_AUTO_EXTENSION_RESOLUTION=false",
		"K6_NO_COLOR=true", "HOME="+home)
	child.Stdin = strings.NewReader(script)
	return child
}

type outcome struct {
	code     int
	text     string
	path     string
	shard    record.Shard
	progress []load.Progress
}

func (tr trial) run(t *testing.T) outcome {
	t.Helper()
	dir := t.TempDir()
	o := outcome{path: tr.out}
	if o.path == "" {
		o.path = filepath.Join(dir, "shard")
	}
	scenarios := map[string]any{}
	if tr.load != nil {
		scenarios["load"] = tr.load
	}
	if tr.timeline != nil {
		scenarios["faults"] = tr.timeline
	}
	config, err := json.Marshal(map[string]any{"scenarios": scenarios})
	require.NoError(t, err)
	configFile := filepath.Join(dir, "k6.json")
	require.NoError(t, os.WriteFile(configFile, config, 0o600))
	if tr.script == "" {
		tr.script = "import 'k6/x/brownout';\nexport default function () {}\n"
	}
	read, write, err := os.Pipe()
	require.NoError(t, err)
	defer read.Close()

	args := append([]string{"run", "--quiet", "--no-usage-report", "--config", configFile, "--out", "brownout=" + o.path}, tr.args...)
	child := exec.CommandContext(t.Context(), os.Args[0], append(args, "-")...)
	child.Env = append(os.Environ(), childEnv+"=1", output.ProgressEnv+"=3", "K6_NO_USAGE_REPORT=true",
		"K6_AUTO_EXTENSION_RESOLUTION=false", "K6_NO_COLOR=true", "HOME="+dir)
	child.Env = append(child.Env, tr.env...)
	child.Stdin = strings.NewReader(tr.script)
	child.ExtraFiles = []*os.File{write}
	var text bytes.Buffer
	child.Stdout, child.Stderr = &text, &text
	require.NoError(t, child.Start())
	write.Close()
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		var p load.Progress
		require.NoError(t, json.Unmarshal(lines.Bytes(), &p), "%s", lines.Text())
		o.progress = append(o.progress, p)
		if tr.whileOn != nil {
			tr.whileOn(child.Process, p)
		}
	}
	err = child.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		o.code = exit.ExitCode()
	} else {
		require.NoError(t, err)
	}
	o.text = text.String()
	if info, err := os.Stat(o.path); err == nil && info.Mode().IsRegular() && info.Size() > 0 { // /dev/full has no end
		data, err := os.ReadFile(o.path)
		require.NoError(t, err)
		o.shard, err = record.Read(bytes.NewReader(data))
		require.NoError(t, err, "%s", o.text)
	}
	return o
}

func arrivalsOf(url string, change map[string]any) map[string]any {
	m := map[string]any{
		"executor": "brownout-arrivals", "run": "r1", "drain_ns": "5s",
		"plan": map[string]any{
			"seed": 11, "arrivals": map[string]any{"process": "poisson", "rate_per_s": 60}, "duration_ns": "1500ms",
			"prompt_tokens": map[string]any{"dist": "fixed", "mean": 16}, "output_tokens": map[string]any{"dist": "fixed", "mean": 8},
			"model": "m", "stream": true, "max_in_flight": 100,
		},
		"client": map[string]any{"base_url": url, "exact": true, "strict": true},
		"limits": map[string]any{"ttft_ns": "5s"},
		"phases": []any{map[string]any{"name": "all", "at_ns": 0}},
	}
	for path, v := range change {
		at := m
		keys := strings.Split(path, ".")
		for _, k := range keys[:len(keys)-1] {
			at = at[k].(map[string]any)
		}
		at[keys[len(keys)-1]] = v
	}
	return m
}

func serve(t *testing.T, s *fakellm.Server) string {
	t.Helper()
	url, stop, err := s.Listen()
	require.NoError(t, err)
	t.Cleanup(stop)
	return url
}

// planOf is the plan in a scenario, decoded as the executor decodes it.
func planOf(t *testing.T, change func(*load.Plan)) load.Plan {
	t.Helper()
	p := load.Plan{
		Seed: 11, Model: "m", Duration: 1500 * time.Millisecond, Stream: true, MaxInFlight: 100,
		Arrivals: load.Arrivals{Process: load.Poisson, Rate: 60},
		Prompt:   load.Length{Dist: load.Fixed, Mean: 16}, Output: load.Length{Dist: load.Fixed, Mean: 8},
	}
	if change != nil {
		change(&p)
	}
	return p
}

func harness(t *testing.T) (url string, clock *event.Clock) {
	t.Helper()
	clock = event.NewClock()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/clock" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(clock.Read())
	}))
	t.Cleanup(srv.Close)
	return srv.URL, clock
}

func TestRunWritesTheWholePlan(t *testing.T) {
	server := &fakellm.Server{Default: fakellm.Script{TTFT: 5 * time.Millisecond, Gap: time.Millisecond}}
	url := serve(t, server)
	clockURL, clock := harness(t)
	o := trial{
		load: arrivalsOf(url, map[string]any{"harness": clockURL}),
		script: `import { ARRIVALS } from 'k6/x/brownout';
			if (ARRIVALS !== 'brownout-arrivals') throw new Error(ARRIVALS);
			export const options = { thresholds: {
				brownout_goodput: ['rate==1'], brownout_ttft: ['p(99)<5000'], 'brownout_requests{outcome:ok}': ['count>10'],
				brownout_sched_lag: ['max<5000'], brownout_e2e: ['max<5000'], brownout_tpot: ['max<5000'],
				brownout_output_tokens: ['count>100'], iterations: ['count>10'] } };
			export default function () {}`,
		args: []string{"--tag", "team=x"},
	}.run(t)
	require.Zero(t, o.code, o.text)
	s := o.shard
	require.True(t, s.Complete)
	assert.Equal(t, "r1", s.Header.Run)
	assert.Equal(t, uint64(11), s.Header.Seed)
	assert.Equal(t, "1/1", s.Header.Instance)

	plan := planOf(t, nil)
	want := slices.Collect(plan.All())
	require.Len(t, s.Records, len(want))
	assert.Equal(t, uint64(len(want)), server.Requests())
	slices.SortFunc(s.Records, func(a, b record.Record) int { return int(a.Arrival) - int(b.Arrival) })
	for i, r := range s.Records {
		require.Equal(t, want[i].ID, r.ID)
		require.Equal(t, s.Header.Start.Add(want[i].Due), r.Due)
		require.Equal(t, record.OK, r.Outcome, "%s", r.Note)
		require.GreaterOrEqual(t, r.Sent, r.Due)
		require.Equal(t, 8, r.OutputTokens)
		require.LessOrEqual(t, r.End, s.Footer.Finished)
	}
	assert.Equal(t, int64(7*len(want)), s.Gaps.Range(0, 60).TotalCount(), "every gap is in a histogram")

	assert.Positive(t, s.Footer.Client.CPUSeconds)
	assert.Positive(t, s.Footer.Client.TimerLateMax)
	assert.Positive(t, s.Footer.Client.MaxInFlight)
	assert.Equal(t, uint64(8*len(want)), s.Footer.Client.ChunksRead)
	require.Len(t, s.Footer.Offsets, 1)
	require.Len(t, s.Header.Offsets, 1)
	assert.Equal(t, clock.ID(), s.Footer.Offsets[0].Clock)
	assert.Less(t, s.Footer.Offsets[0].Error, time.Second)

	last := o.progress[len(o.progress)-1]
	assert.Equal(t, uint64(len(want)), last.Due)
	assert.Equal(t, uint64(len(want)), last.Done)
	assert.Zero(t, last.InFlight)
	assert.Equal(t, "all", last.Phase)
	assert.Positive(t, last.TTFTP99)
}

func TestFailuresAreRecordedAndThresholdsFail(t *testing.T) {
	url := serve(t, &fakellm.Server{Pick: func(n uint64) fakellm.Script {
		if n%4 == 0 {
			return fakellm.Script{Fail: fakellm.FailLose, After: 2}
		}
		return fakellm.Script{}
	}})
	o := trial{
		load: arrivalsOf(url, nil),
		script: `import 'k6/x/brownout';
			export const options = { thresholds: { brownout_goodput: ['rate==1'] } };
			export default function () {}`,
	}.run(t)
	require.Equal(t, 99, o.code, o.text)
	bad := 0
	for _, r := range o.shard.Records {
		if r.Outcome == record.Corrupt {
			require.Equal(t, "token 2 was lost", r.Note)
			bad++
		}
	}
	assert.Equal(t, (len(o.shard.Records)+3)/4, bad)
	assert.Equal(t, uint64(bad), o.progress[len(o.progress)-1].Bad)
	assert.Contains(t, o.progress[len(o.progress)-1].Error, "corrupt")
}

func TestSegmentsTogetherAreThePlan(t *testing.T) {
	server := &fakellm.Server{}
	url := serve(t, server)
	var ids []string
	instances := map[string]bool{}
	for _, seg := range []string{"0:1/3", "1/3:2/3", "2/3:1"} {
		o := trial{load: arrivalsOf(url, nil), args: []string{"--execution-segment", seg, "--execution-segment-sequence", "0,1/3,2/3,1"}}.run(t)
		require.Zero(t, o.code, o.text)
		instances[o.shard.Header.Instance] = true
		assert.NotEmpty(t, o.shard.Records)
		for _, r := range o.shard.Records {
			ids = append(ids, r.ID)
		}
	}
	var want []string
	for a := range planOf(t, nil).All() {
		want = append(want, a.ID)
	}
	assert.ElementsMatch(t, want, ids)
	assert.Len(t, instances, 3)
}

func TestTooManyInFlightAreDropped(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{Fail: fakellm.FailStall}})
	o := trial{load: arrivalsOf(url, map[string]any{"plan.max_in_flight": 5, "drain_ns": "200ms"})}.run(t)
	require.Zero(t, o.code, o.text)
	count := map[record.Outcome]int{}
	for _, r := range o.shard.Records {
		count[r.Outcome]++
		if r.Outcome == record.Dropped {
			require.Zero(t, r.Sent)
			require.NotZero(t, r.Due)
			require.NotZero(t, r.Harmed)
		}
	}
	total := len(slices.Collect(planOf(t, nil).All()))
	assert.Equal(t, map[record.Outcome]int{record.Unfinished: 5, record.Dropped: total - 5}, count)
	assert.Equal(t, uint64(total-5), o.shard.Footer.Dropped)
	assert.Equal(t, 5, o.shard.Footer.Client.MaxInFlight)
}

func TestInterruptLeavesACompleteShard(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{Fail: fakellm.FailStall, After: 2}})
	o := trial{
		load: arrivalsOf(url, map[string]any{"plan.duration_ns": "30s", "plan.max_in_flight": 10000}),
		whileOn: func(p *os.Process, line load.Progress) {
			if line.InFlight > 0 {
				_ = p.Signal(syscall.SIGINT)
			}
		},
	}.run(t)
	require.Equal(t, 105, o.code, o.text)
	require.True(t, o.shard.Complete)
	require.NotEmpty(t, o.shard.Records)
	for _, r := range o.shard.Records {
		require.Equal(t, record.Unfinished, r.Outcome, "%s", r.Note)
	}
}

func TestBadOptionsAreOneSentence(t *testing.T) {
	for name, tc := range map[string]struct {
		change map[string]any
		env    []string
		want   string
	}{
		"unknown key":  {change: map[string]any{"plan.modl": "x"}, want: "modl"},
		"duration":     {change: map[string]any{"drain_ns": "soon"}, want: "write nanoseconds as a number"},
		"plan":         {change: map[string]any{"plan.model": "", "plan.max_in_flight": 0}, want: "max_in_flight"},
		"base url":     {change: map[string]any{"client.base_url": "nowhere"}, want: "base_url"},
		"key":          {change: map[string]any{"client.key_env": "SURELY_NOT_SET"}, want: "SURELY_NOT_SET"},
		"progress fd":  {env: []string{output.ProgressEnv + "=two"}, want: output.ProgressEnv},
		"exec":         {change: map[string]any{"exec": "other"}, want: "exec"},
		"negative end": {change: map[string]any{"limits.ttft_ns": -1}, want: "limits must not be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			o := trial{load: arrivalsOf("http://127.0.0.1:1", tc.change), env: tc.env}.run(t)
			assert.NotZero(t, o.code)
			assert.Contains(t, o.text, tc.want)
		})
	}
}

func TestUnwritableShardFailsTheRun(t *testing.T) {
	url := serve(t, &fakellm.Server{})
	o := trial{load: arrivalsOf(url, nil), out: "/does/not/exist/shard"}.run(t)
	assert.NotZero(t, o.code)
	assert.Contains(t, o.text, "cannot write the shard")

	o = trial{load: arrivalsOf(url, map[string]any{"plan.duration_ns": "20s", "plan.arrivals.rate_per_s": 500}), out: "/dev/full"}.run(t)
	assert.NotZero(t, o.code)
	assert.Contains(t, o.text, "cannot write the shard")
}

func TestOtherOutputsSeeOrdinarySamples(t *testing.T) {
	file := filepath.Join(t.TempDir(), "samples.json")
	o := trial{load: arrivalsOf(serve(t, &fakellm.Server{}), nil), args: []string{"--out", "json=" + file}}.run(t)
	require.Zero(t, o.code, o.text)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	points := 0
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, `"brownout_ttft"`) && strings.Contains(line, `"Point"`) {
			points++
		}
	}
	assert.Equal(t, len(o.shard.Records), points)
	assert.Contains(t, string(data), `"outcome":"ok"`)
	assert.Contains(t, string(data), `"scenario":"load"`)
}
