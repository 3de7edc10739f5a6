package main

import (
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/spec"
)

func scenario(t *testing.T, name string, set ...string) *spec.Spec {
	t.Helper()
	s, err := loadScenario(name, set)
	require.NoError(t, err)
	return s
}

func TestWhatMakesASeries(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		single bool
		wrong  string
	}{
		"nothing":                {nil, true, ""},
		"one variant":            {[]string{"--variant", "none"}, true, ""},
		"a delay":                {[]string{"--delay", "30ms"}, true, ""},
		"trials":                 {[]string{"--trials", "1"}, false, ""},
		"two variants":           {[]string{"--variant", "none", "--variant", "full"}, false, ""},
		"no trials":              {[]string{"--trials", "0"}, false, "out of bounds"},
		"less than none":         {[]string{"--trials", "-3"}, false, "out of bounds"},
		"a spread of one":        {[]string{"--spread", "1s"}, false, "add --trials"},
		"trials with a delay":    {[]string{"--trials", "2", "--delay", "1s"}, false, "for a single run"},
		"an unknown variant":     {[]string{"--variant", "nine"}, false, "did you mean"},
		"a delay beyond the end": {[]string{"--delay", "1h"}, false, "has room for"},
	} {
		var f trialFlags
		flags := &cobra.Command{}
		f.add(flags)
		require.NoError(t, flags.ParseFlags(c.args), name)
		one, single, err := f.single(flags, scenario(t, "gpu-oom"))
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong, name)
			continue
		}
		require.NoError(t, err, name)
		assert.Equal(t, c.single, single, name)
		switch name {
		case "one variant":
			assert.Equal(t, "none", one.Target.Resilience)
		case "a delay":
			assert.Equal(t, 30*time.Millisecond, one.Delay)
		}
	}
}

func TestPeriod(t *testing.T) {
	var f trialFlags
	assert.Equal(t, 50*time.Millisecond, f.period(scenario(t, "gpu-oom"), false), "the router's look")
	assert.Equal(t, 100*time.Millisecond, f.period(scenario(t, "gpu-oom", "target.refserver.topology=processes"), false), "the heartbeat")
	assert.Equal(t, time.Second, f.period(scenario(t, "gpu-oom"), true), "nobody knows")
	f.spread = 3 * time.Second
	assert.Equal(t, 3*time.Second, f.period(scenario(t, "gpu-oom"), true))
}

func TestVariantsOfAForeignServer(t *testing.T) {
	s := scenario(t, "gpu-oom")
	left, out, err := ofForeign(s, nil)
	require.NoError(t, err)
	assert.Empty(t, left.Variants)
	assert.Equal(t, []string{"full", "none"}, out)
	assert.Len(t, s.Variants, 2, "the original stays")
	_, _, err = ofForeign(s, []string{"none"})
	require.ErrorContains(t, err, "variant none changes target.refserver.resilience=none")

	left, out, err = ofForeign(scenario(t, "steady"), []string{"overload"})
	require.NoError(t, err)
	assert.Len(t, left.Variants, 2, "another rate is another rate for any server")
	assert.Empty(t, out)
}
