package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/saturation"
)

// saturated runs a search, again (at most twice) while the machine was too busy to tell.
func saturated(t *testing.T, args ...string) (Answer, saturation.File) {
	t.Helper()
	for try := 1; ; try++ {
		dir := t.TempDir()
		file := filepath.Join(dir, "found.json")
		a := Call(t, 20*time.Minute, nil, append([]string{"saturate", "--out", dir, "--save", file, "-q"}, args...)...)
		f, err := saturation.Read(file)
		require.NoError(t, err, "%s\n%s", a.Stdout, a.Stderr)
		limited := false
		for _, p := range f.Probes {
			limited = limited || p.Word == "client-limited" || p.Word == "simulator-limited"
		}
		t.Logf("try %d: %s\n%s", try, strings.Join(f.Summary, " "), a.Stdout)
		if f.Status == "found" || !limited || try == 3 {
			return a, f
		}
	}
}

// One simulated GPU, whose timing model knows its saturation: few enough requests that this machine is
// not the limit.
func TestE2ESaturate(t *testing.T) {
	config := filepath.Join(t.TempDir(), "one.yaml")
	require.NoError(t, os.WriteFile(config, []byte("preset: chat-8b\ncluster: {nodes: 1, gpus_per_node: 1}\n"), 0o600))
	a, f := saturated(t, "--from", "20/s", "--set", "target.refserver={config: "+config+"}", "--set", "slo.gates={steady: [goodput >= 99%]}")
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	require.Greater(t, f.Model, 30.0)
	assert.InEpsilon(t, f.Model, f.Best, 0.1)
	assert.Contains(t, a.Stdout, "Saturation: ")
}

// A second truth: 10 slots of 200 ms are 50 requests/s, exactly (one sleep each, for every wake-up costs a little). A scenario then sends 60 % of it.
func TestE2ESaturateForeignTarget(t *testing.T) {
	server := &fakellm.Server{Slots: 10, Default: fakellm.Script{TTFT: 200 * time.Millisecond, PerChunk: 4, Tokens: 4}}
	url, stop, err := server.Listen()
	require.NoError(t, err)
	t.Cleanup(stop)
	dir := t.TempDir()
	file := filepath.Join(dir, "foreign.yaml")
	shared := strings.NewReplacer("process: constant, rate: 40/s", "process: poisson, rate: 60%", "goodput >= 1%", "goodput >= 99%").Replace(foreign)
	require.NoError(t, os.WriteFile(file, []byte(shared), 0o600))
	a, f := saturated(t, file, "--from", "20/s", "--probe", "10s", "--target", url)
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.InEpsilon(t, 50, f.Best, 0.1)

	a = Call(t, time.Minute, nil, "run", file, "--out", dir, "--target", url)
	assert.Equal(t, 1, a.Code)
	assert.Contains(t, a.Stderr, "brownout saturate --target URL --save saturation.json")

	found := filepath.Join(dir, "saturation.json")
	require.NoError(t, saturation.Write(found, f))
	a, r := Settled(t, nil, file, "--target", url, "--saturation-file", found)
	require.Equal(t, 0, a.Code, "%s\n%s", a.Stdout, a.Stderr)
	assert.Equal(t, "60%", r.Load.Written)
	assert.InEpsilon(t, 0.6*f.Best, r.Load.Rate, 0.01)
	assert.Contains(t, r.Scenario.YAML, "60%")
}
