package timeline

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.k6.io/k6/v2/lib/executor"

	"github.com/brownout-dev/brownout/faults"
)

func readConfig(t *testing.T, raw string) (Config, error) {
	t.Helper()
	c := Config{BaseConfig: executor.NewBaseConfig("faults", Type)}
	return c, c.read([]byte(raw))
}

func TestReadableNotation(t *testing.T) {
	c, err := readConfig(t, `{"executor":"brownout-timeline","url":"http://127.0.0.1:9100","tokenEnv":"T","duration":"40s","tags":{"a":"b"},
		"steps":[{"at":"5s","fault":"gpu.oom on gpu=n2/g1 for 10s"},{"at":25000,"fault":"gpu.oom on gpu=n1/g0 for 5s"}]}`)
	require.NoError(t, err)
	require.Empty(t, c.Validate())
	assert.Equal(t, faults.Plan{
		Endpoint: "http://127.0.0.1:9100", TokenEnv: "T", Lease: 3 * time.Second, Total: 40 * time.Second,
		Steps: []faults.PlanStep{{At: 5 * time.Second, Fault: "gpu.oom on gpu=n2/g1 for 10s"}, {At: 25 * time.Second, Fault: "gpu.oom on gpu=n1/g0 for 5s"}},
	}, c.Timeline)
	raw, err := json.Marshal(c)
	require.NoError(t, err)
	again, err := readConfig(t, string(raw))
	require.NoError(t, err)
	assert.Equal(t, c.Timeline, again.Timeline)
}

func TestReadableMistakesAllAtOnce(t *testing.T) {
	c, err := readConfig(t, `{"lease":"1ms","endpoint":"x","steps":[{"at":"never","fault":"gpu.oom"},{"when":1}]}`)
	require.NoError(t, err)
	wrong := errors.Join(c.Validate()...)
	for _, want := range []string{
		"url is empty", "tokenEnv is empty", "lease is 1ms", "duration is 0s", "endpoint is no option",
		`steps[0].at is "never"`, "steps[0].fault", "steps[1].when is no option", "steps[1].fault",
	} {
		require.ErrorContains(t, wrong, want)
	}
	assert.NotContains(t, wrong.Error(), "_ns")
}
