package spec

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Runs compare when they were asked the same, whoever was asked and whatever was promised.
func TestLoadDigest(t *testing.T) {
	of := func(from, to string, set ...string) string {
		require.Contains(t, base, from)
		s, err := Parse("gpu-oom.yaml", []byte(strings.Replace(base, from, to, 1)), set)
		require.NoError(t, err)
		return s.LoadDigest()
	}
	want := of("", "")
	require.Len(t, want, 64)
	for name, got := range map[string]string{
		"seed":       of("seed: 1", "seed: 7"),
		"resilience": of("", "", "target.refserver.resilience=none"),
		"slowdown":   of("", "", "target.refserver.settings.cluster.slowdown=1.1"),
		"gate":       of("ttr <= 5s", "ttr <= 6s"),
		"question":   of("Who notices?", "Who?"),
	} {
		assert.Equal(t, want, got, name)
	}
	for name, got := range map[string]string{
		"rate":    of("130/s", "131/s"),
		"prompt":  of("prompt_tokens: 512", "prompt_tokens: 513"),
		"phase":   of("after, for: 12s", "after, for: 13s"),
		"fault":   of("for 10s", "for 9s"),
		"when":    of("fault+1s", "fault+2s"),
		"limit":   of("ttft: 1s", "ttft: 2s"),
		"timeout": of("connect: 2s", "connect: 3s"),
	} {
		assert.NotEqual(t, want, got, name)
	}
	s, err := Parse("gpu-oom.yaml", []byte(base), nil)
	require.NoError(t, err)
	assert.Equal(t, want, s.WithSeed(9).LoadDigest())
}
