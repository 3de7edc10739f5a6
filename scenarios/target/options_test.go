package target

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseHeaders(t *testing.T) {
	got, err := ParseHeaders([]string{"X-Team=blue", " X-Key = env:KEY", "X-Filter=a=b", "X-Empty="})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"X-Team": "blue", "X-Key": "env:KEY", "X-Filter": "a=b", "X-Empty": ""}, got)
	got, err = ParseHeaders(nil)
	require.NoError(t, err)
	assert.Nil(t, got)
	_, err = ParseHeaders([]string{"hunter2", "X-A=1", "x-a=2", "Authorization: Bearer hunter2"})
	require.ErrorContains(t, err, "--header number 1")
	require.ErrorContains(t, err, `--header "x-a" is given twice`)
	require.ErrorContains(t, err, "--header number 4")
	assert.NotContains(t, err.Error(), "hunter2", "what is no header may be a secret")
}

func TestParseBody(t *testing.T) {
	got, err := ParseBody(`{"temperature":0,"seed2":9007199254740993}`)
	require.NoError(t, err)
	assert.Equal(t, json.Number("9007199254740993"), got["seed2"])
	got, err = ParseBody("")
	require.NoError(t, err)
	assert.Nil(t, got)
	for _, bad := range []string{"null", "[]", "1", "{", `{"a":1}{}`, `{"a":1} x`, `{a:1}`, " "} {
		_, err := ParseBody(bad)
		assert.ErrorContains(t, err, "--body is not one JSON object", bad)
	}
}

func TestParseMaxRate(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "50/s": 50, "90/m": 1.5} {
		got, err := ParseMaxRate(text)
		require.NoError(t, err)
		assert.InDelta(t, want, got, 1e-12)
	}
	for _, bad := range []string{"50", "fast", "-1/s", "0/s"} {
		_, err := ParseMaxRate(bad)
		assert.ErrorContains(t, err, "--max-rate", bad)
	}
}

func FuzzOptions(f *testing.F) {
	f.Add("X-A=env:B", `{"a":1}`)
	f.Add("=", "{")
	f.Fuzz(func(t *testing.T, header, body string) {
		headers, err := ParseHeaders([]string{header})
		if err == nil && len(headers) != strings.Count(header, "=") && strings.Count(header, "=") < 2 {
			t.Fatalf("%q gives %v", header, headers)
		}
		fields, err := ParseBody(body)
		if err != nil || fields == nil {
			return
		}
		if _, err := json.Marshal(fields); err != nil {
			t.Fatalf("%q cannot be written again: %v", body, err)
		}
	})
}
