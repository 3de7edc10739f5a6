package target

import (
	"encoding/pem"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// env is an environment with two variables.
func env(name string) (string, bool) {
	v, ok := map[string]string{"KEY": "sk-1", "TEAM_TOKEN": "t"}[name]
	return v, ok
}

func TestAdopt(t *testing.T) {
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	for _, url := range []string{srv.URL, srv.URL + "/", srv.URL + "/v1", srv.URL + "/v1/"} {
		got, err := Adopt(t.Context(), Foreign{API: url, Env: env})
		require.NoError(t, err, "any answer is an answer")
		assert.Equal(t, srv.URL, got.API)
		require.NoError(t, got.Ready(t.Context(), time.Second))
		assert.Nil(t, got.Died())
		got.Stop()
	}
	_, err := Adopt(t.Context(), Foreign{API: "http://127.0.0.1:1", Env: env})
	require.ErrorContains(t, err, "nobody answers at --target http://127.0.0.1:1")
}

func TestAdoptRefusesBeforeItSends(t *testing.T) {
	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer srv.Close()
	for name, tc := range map[string]struct {
		change func(*Foreign)
		says   string
	}{
		"no URL":               {func(f *Foreign) { f.API = "localhost:8000" }, `--target "localhost:8000" is not a base URL`},
		"no host":              {func(f *Foreign) { f.API = "http://:80" }, "is not a base URL"},
		"other scheme":         {func(f *Foreign) { f.API = "ftp://x" }, "--target"},
		"admin":                {func(f *Foreign) { f.Admin = "localhost:9000" }, "--target-admin"},
		"password in URL":      {func(f *Foreign) { f.API = "https://u:hunter2@llm.example" }, "--target has a user or a password"},
		"password in no URL":   {func(f *Foreign) { f.API = "u:hunter2@llm.example" }, "is not a base URL"},
		"key in URL":           {func(f *Foreign) { f.API = "https://llm.example?api_key=hunter2" }, "more than a path"},
		"key not there":        {func(f *Foreign) { f.KeyEnv = "NONE" }, "--key-env NONE: that environment variable is empty"},
		"header of ours":       {func(f *Foreign) { f.Headers = map[string]string{"Host": "x"} }, `--header "Host" is set by brownout itself`},
		"header not there":     {func(f *Foreign) { f.Headers = map[string]string{"X-A": "env:NONE"} }, `--header "X-A" names the environment variable NONE`},
		"secret in the open":   {func(f *Foreign) { f.Headers = map[string]string{"Api-Key": "hunter2"} }, `--header Api-Key=env:NAME`},
		"bearer in the open":   {func(f *Foreign) { f.Headers = map[string]string{"X-Other": "Bearer hunter2"} }, `--header X-Other=env:NAME`},
		"two keys":             {func(f *Foreign) { f.KeyEnv, f.Headers = "KEY", map[string]string{"authorization": "env:KEY"} }, "both set the same header"},
		"body of the plan":     {func(f *Foreign) { f.Body = map[string]any{"model": "x"} }, `--body sets "model"`},
		"unbounded":            {func(f *Foreign) { f.Rate, f.MaxRate = math.Inf(1), 50 }, "--set load.arrivals.think=1s"},
		"too fast":             {func(f *Foreign) { f.Rate, f.MaxRate = 130, 50 }, "--set load.arrivals.rate=50/s"},
		"no such CA":           {func(f *Foreign) { f.CAFile = "/none" }, "--ca-file cannot be read"},
		"no CA":                {func(f *Foreign) { f.CAFile = "foreign_test.go" }, "holds no certificate"},
		"faults elsewhere":     {func(f *Foreign) { f.API, f.Harms = "http://llm.example:8000", true }, "confirm with --yes-break llm.example"},
		"faults elsewhere too": {func(f *Foreign) { f.Faults, f.Harms = "http://10.0.0.9:9100", true }, "--target-faults 10.0.0.9 is not this machine; if you may break it, confirm with --yes-break 10.0.0.9"},
		"another host":         {func(f *Foreign) { f.API, f.Harms, f.Break = "http://llm.example", true, []string{"llm.exampl"} }, "--yes-break llm.exampl is not a host"},
		"a look-alike":         {func(f *Foreign) { f.API, f.Harms = "http://127.0.0.1.nip.example", true }, "confirm with --yes-break"},
		"host with port":       {func(f *Foreign) { f.API, f.Harms, f.Break = "http://llm.example:80", true, []string{"llm.example:80"} }, "is not a host of this target"},
		"yes for all":          {func(f *Foreign) { f.API, f.Harms, f.Break = "http://llm.example", true, []string{"*"} }, "is not a host of this target"},
	} {
		f := Foreign{API: srv.URL, Env: env}
		tc.change(&f)
		_, err := Adopt(t.Context(), f)
		require.ErrorContains(t, err, tc.says, name)
		assert.NotContains(t, err.Error(), "hunter2", name)
	}
	assert.False(t, asked)

	_, err := Adopt(t.Context(), Foreign{API: "http://llm.example", Env: env, Dialect: Dialect{KeyEnv: "NONE"}, Harms: true, Rate: 2, MaxRate: 1})
	assert.Len(t, strings.Split(err.Error(), "\n"), 3, "everything at once: %v", err)
}

func TestConfirmation(t *testing.T) {
	for name, tc := range map[string]struct {
		f  Foreign
		ok bool
	}{
		"this machine":         {Foreign{API: "http://127.0.0.1:1", Faults: "http://[::1]:2", Harms: true}, true},
		"by name":              {Foreign{API: "http://localhost:1", Harms: true}, true},
		"no faults":            {Foreign{API: "http://llm.example"}, true},
		"confirmed":            {Foreign{API: "http://LLM.example", Harms: true, Break: []string{"llm.Example"}}, true},
		"both confirmed":       {Foreign{API: "http://a.example", Faults: "http://b.example", Harms: true, Break: []string{"a.example", "b.example"}}, true},
		"through the admin":    {Foreign{API: "http://localhost:1", Admin: "http://a.example", Harms: true}, false},
		"one of two":           {Foreign{API: "http://a.example", Faults: "http://b.example", Harms: true, Break: []string{"a.example"}}, false},
		"confirmed IPv6":       {Foreign{API: "http://[fd00::1]:8000", Harms: true, Break: []string{"fd00::1"}}, true},
		"all interfaces":       {Foreign{API: "http://0.0.0.0:1", Harms: true}, false},
		"confirmed, no faults": {Foreign{API: "http://llm.example", Break: []string{"llm.example"}}, true},
	} {
		assert.Equal(t, tc.ok, len(tc.f.confirmed()) == 0, name)
	}
}

func TestReachableTrustsTheGivenAuthority(t *testing.T) {
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	defer srv.Close()
	srv.Config.ErrorLog = nil
	_, err := Adopt(t.Context(), Foreign{API: srv.URL, Env: env})
	require.ErrorContains(t, err, "--ca-file", "an unknown authority")
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600))
	_, err = Adopt(t.Context(), Foreign{API: srv.URL, Env: env, Dialect: Dialect{CAFile: file}})
	require.NoError(t, err)
}
