package k6ext

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// The contract behind thresholds on recovery: samples sent at k6's event TestEnd are judged. If a
// new k6 changes that, these tests fail first.

func readableLoad(url, duration string) map[string]any {
	return map[string]any{
		"executor": "brownout-arrivals", "rate": "40/s", "duration": duration, "promptTokens": 16, "outputTokens": 4, "drain": "5s", "process": "constant",
		"client": map[string]any{"baseURL": url, "model": "m"},
	}
}

func readableFaults(url, duration string) map[string]any {
	return map[string]any{
		"executor": "brownout-timeline", "url": url, "tokenEnv": "FAULT_TOKEN", "duration": duration,
		"steps": []any{map[string]any{"at": "300ms", "fault": "gpu.oom on gpu=n1/g0 for 1s"}},
	}
}

// failing answers the requests [from, to) with 500.
func failing(from, to uint64) *fakellm.Server {
	return &fakellm.Server{Pick: func(n uint64) fakellm.Script {
		if n >= from && n < to {
			return fakellm.Script{Fail: "status=500"}
		}
		return fakellm.Script{}
	}}
}

const recoveryScript = `import { configureRecovery } from 'k6/x/brownout';
configureRecovery({ hold: '500ms', horizon: '20s', minBad: 2 });
export const options = { thresholds: { brownout_faults: ['count==1'], %s } };
export default function () {}`

func TestThresholdsOnRecovery(t *testing.T) {
	for name, tc := range map[string]struct {
		server     *fakellm.Server
		thresholds string
		code       int
		says       []string
	}{
		"recovered in time": {failing(20, 40), "brownout_unrecovered: ['rate==0'], brownout_ttr: ['max<60000', 'min>100'], 'brownout_faults{state:recovered}': ['count==1']",
			0, []string{"brownout_ttr"}},
		"recovered too late":    {failing(20, 40), "brownout_ttr: ['max<100']", 99, []string{"brownout_ttr"}},
		"never recovered":       {failing(20, 1e6), "brownout_unrecovered: ['rate==0']", 99, []string{"brownout_unrecovered"}},
		"absorbed has no ttr":   {&fakellm.Server{}, "brownout_unrecovered: ['rate==0'], 'brownout_faults{state:absorbed}': ['count==1']", 0, nil},
		"why the rate is there": {failing(20, 1e6), "brownout_ttr: ['max<1']", 0, nil}, // an absent metric passes
	} {
		t.Run(name, func(t *testing.T) {
			h := &holder{on: map[string]bool{}}
			srv := httptest.NewServer(h)
			defer srv.Close()
			o := trial{
				load: readableLoad(serve(t, tc.server), "3500ms"), timeline: readableFaults(srv.URL, "3500ms"),
				script: strings.Replace(recoveryScript, "%s", tc.thresholds, 1), env: []string{"FAULT_TOKEN=sesame"},
			}.run(t)
			require.Equal(t, tc.code, o.code, o.text)
			if tc.code != 0 {
				for _, want := range tc.says {
					assert.Contains(t, o.text, want)
				}
			}
		})
	}
}

// A step that was never reached is no survived fault, even in a test that was aborted.
func TestUnreachedFaultIsUnrecovered(t *testing.T) {
	h := &holder{on: map[string]bool{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	tl := readableFaults(srv.URL, "20s")
	tl["steps"] = []any{map[string]any{"at": "15s", "fault": "gpu.oom on gpu=n1/g0 for 1s"}}
	file := filepath.Join(t.TempDir(), "samples.json")
	asked := false
	o := trial{
		load: readableLoad(serve(t, &fakellm.Server{}), "20s"), timeline: tl, env: []string{"FAULT_TOKEN=sesame"}, args: []string{"--out", "json=" + file},
		whileOn: func(p *os.Process, line load.Progress) {
			if line.Done > 0 && !asked { // a second one would kill it
				asked = true
				_ = p.Signal(syscall.SIGINT)
			}
		},
	}.run(t)
	require.Equal(t, 105, o.code, o.text)
	assert.Equal(t, []string{"1"}, points(t, file, "brownout_unrecovered"))
	assert.Empty(t, h.calls)
}

// No executor of ours: chats and faults from JavaScript alone.
func TestRecoveryFromJavaScriptAlone(t *testing.T) {
	h := &holder{on: map[string]bool{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	dir := t.TempDir()
	script := `import { Client, Faults, configureRecovery, recovery } from 'k6/x/brownout';
		import { sleep } from 'k6';
		const c = new Client({ baseURL: '` + serve(t, failing(15, 40)) + `', model: 'm' });
		const f = new Faults({ url: '` + srv.URL + `', tokenEnv: 'FAULT_TOKEN', lease: '600ms' });
		configureRecovery({ hold: '500ms', minBad: 2 });
		export const options = {
			scenarios: {
				users: { executor: 'constant-arrival-rate', rate: 30, timeUnit: '1s', duration: '5s', preAllocatedVUs: 20, exec: 'users' },
				chaos: { executor: 'per-vu-iterations', vus: 1, iterations: 1, exec: 'chaos' },
			},
			thresholds: { brownout_unrecovered: ['rate==0'], 'brownout_ttr{fault:gpu.oom}': ['max<60000', 'min>0'], 'brownout_ttr{scenario:chaos}': ['min>0'], brownout_requests: ['count>60'] },
		};
		export function users() { c.chat({ messages: [{ role: 'user', content: 'x' }], max_tokens: 4 }); }
		export function chaos() { sleep(0.3); f.inject('gpu.oom on gpu=n1/g0 for 1500ms'); }
		export function teardown() { console.log('story ' + JSON.stringify(recovery()[0])); }`
	child := newChild(t, dir, script)
	child.Env = append(child.Env, "FAULT_TOKEN=sesame")
	var text bytes.Buffer
	child.Stdout, child.Stderr = &text, &text
	require.NoError(t, child.Run(), "%s", &text)
	assert.Contains(t, text.String(), `\"state\":\"recovered\"`)
	assert.Empty(t, h.on)
	assert.Contains(t, h.calls, "renew")
	assert.Equal(t, "clear", h.calls[len(h.calls)-1])
}

// The mistakes of a readable scenario are told together, before anything is sent.
func TestReadableMistakesReachTheUser(t *testing.T) {
	l := readableLoad("nowhere", "soon")
	l["rate"] = "fast"
	o := trial{load: l}.run(t)
	require.Equal(t, 104, o.code, o.text)
	for _, want := range []string{`rate is`, `duration is`, `client.baseURL is`} {
		assert.Contains(t, o.text, want)
	}
}

// The harness judges by itself: its runs send no recovery samples.
func TestHarnessRunsSendNoRecoverySamples(t *testing.T) {
	h := &holder{on: map[string]bool{}}
	srv := httptest.NewServer(h)
	defer srv.Close()
	clockURL, _ := harness(t)
	file := filepath.Join(t.TempDir(), "samples.json")
	o := trial{
		load:     arrivalsOf(serve(t, &fakellm.Server{}), map[string]any{"harness": clockURL}),
		timeline: timelineOf(srv.URL), env: []string{"FAULT_TOKEN=sesame"}, args: []string{"--out", "json=" + file},
	}.run(t)
	require.Zero(t, o.code, o.text)
	assert.Empty(t, points(t, file, "brownout_unrecovered"))
	assert.NotEmpty(t, points(t, file, "brownout_ttft"))
}

// Where nobody but the reader of the shard looks, the records are all there is.
func TestRecordsOnlySendsNoSamples(t *testing.T) {
	file := filepath.Join(t.TempDir(), "samples.json")
	o := trial{
		load: arrivalsOf(serve(t, &fakellm.Server{}), map[string]any{"records_only": true}), args: []string{"--out", "json=" + file},
	}.run(t)
	require.Zero(t, o.code, o.text)
	assert.NotEmpty(t, o.shard.Records)
	for _, metric := range []string{"brownout_ttft", "brownout_requests", "iterations"} {
		assert.Empty(t, points(t, file, metric), metric)
	}
}

// points are the values of a metric in a file of k6's json output.
func points(t *testing.T, file, metric string) (values []string) {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, `"`+metric+`"`) && strings.Contains(line, `"Point"`) {
			_, rest, _ := strings.Cut(line, `"value":`)
			value, _, _ := strings.Cut(rest, ",")
			values = append(values, strings.TrimRight(value, "}\n"))
		}
	}
	return values
}
