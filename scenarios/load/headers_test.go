package load

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCheckHeaders(t *testing.T) {
	for _, tc := range []struct {
		name, value, says string
	}{
		{"X-Team", "blue", ""},
		{"Authorization", "env:TOKEN", ""},
		{"x-b3.id", "a b\tc", ""},
		{"X-Empty", "", ""},
		{"", "x", "is no header name"},
		{"X Team", "x", "is no header name"},
		{"X-Team:", "x", "is no header name"},
		{"content-type", "text/plain", "is set by brownout itself"},
		{"host", "other", "is set by brownout itself"},
		{"X-Request-ID", "1", "is set by brownout itself"},
		{"X-Team", "a\r\nX-Evil: 1", "control character"},
		{"X-Team", "env:", "write for example env:TEAM_TOKEN"},
		{"X-Team", "env:A B", "write for example env:TEAM_TOKEN"},
	} {
		err := errors.Join(CheckHeaders(map[string]string{tc.name: tc.value})...)
		if tc.says == "" {
			require.NoError(t, err, "%q: %q", tc.name, tc.value)
			continue
		}
		require.ErrorContains(t, err, tc.says, "%q: %q", tc.name, tc.value)
	}
	assert.Len(t, CheckHeaders(map[string]string{"Host": "", "a b": "", "x-team": "1", "X-Team": "2"}), 3, "all at once")
}

func TestResolveHeaders(t *testing.T) {
	lookup := func(name string) (string, bool) {
		v, ok := map[string]string{"TOKEN": "s3cret", "EMPTY": ""}[name]
		return v, ok
	}
	got, secrets, err := ResolveHeaders(map[string]string{"A": "plain", "B": "env:TOKEN"}, lookup)
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "plain", "B": "s3cret"}, got)
	assert.Equal(t, []string{"s3cret"}, secrets)
	for _, name := range []string{"EMPTY", "NONE"} {
		_, _, err = ResolveHeaders(map[string]string{"B": "env:" + name}, lookup)
		assert.ErrorContains(t, err, name)
	}
}

func TestCheckBody(t *testing.T) {
	assert.Empty(t, CheckBody(map[string]any{"temperature": 0, "top_p": 1}))
	assert.Len(t, CheckBody(map[string]any{"model": "x", "stream": false, "temperature": 0}), 2)
}
