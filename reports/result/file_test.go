package result

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

func newReader(b []byte) io.Reader { return bytes.NewReader(b) }

func TestWriteThenRead(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "runs", "one")
	want := filled()
	require.NoError(t, Write(dir, want))
	for _, path := range []string{dir, filepath.Join(dir, FileName)} {
		got, err := Read(path)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	want.Run = "another"
	require.NoError(t, Write(dir, want), "an old result is replaced")
	got, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, "another", got.Run)

	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "no temporary file is left")
	info, err := entries[0].Info()
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}

func TestWriteRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		spoil func(*Result)
		want  string
	}{
		"not a number":    {func(r *Result) { r.Judgement.Phases[1].TTFT.Mean = math.NaN() }, "Judgement.Phases[1].TTFT.Mean is NaN"},
		"infinity":        {func(r *Result) { r.Judgement.Run.E2E.Completed["p99"] = math.Inf(1) }, "Judgement.Run.E2E.Completed.p99 is +Inf"},
		"behind pointer":  {func(r *Result) { r.Judgement.Faults[0].TTR = new(math.NaN()) }, "Judgement.Faults[0].TTR is NaN"},
		"unknown verdict": {func(r *Result) { r.Judgement.Verdict = "maybe" }, `judgement.verdict is "maybe", which is none of [pass fail unknown]`},
		"other version":   {func(r *Result) { r.Version = "brownout.result/v9" }, `its version is "brownout.result/v9"`},
		"no name":         {func(r *Result) { r.Run = "" }, "run breaks the rule minLength"},
	} {
		t.Run(name, func(t *testing.T) {
			r := filled()
			c.spoil(&r)
			require.ErrorContains(t, Write(dir, r), c.want)
			require.NoFileExists(t, filepath.Join(dir, FileName))
		})
	}
	file := filepath.Join(dir, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, Write(file, filled()), "--out")
}

func TestWriteLeavesTheCallersResultAlone(t *testing.T) {
	r := filled()
	r.Version, r.Journal = "", nil
	r.Judgement.Phases[0].Outcomes = nil
	require.NoError(t, Write(t.TempDir(), r))
	require.Empty(t, r.Version)
	require.Nil(t, r.Journal)
	require.Nil(t, r.Judgement.Phases[0].Outcomes)
}

func TestReadRefuses(t *testing.T) {
	good, err := encode(filled())
	require.NoError(t, err)
	change := func(path string, to any) func() []byte {
		return func() []byte {
			parsed, err := jsonschema.UnmarshalJSON(newReader(good)) // keeps numbers exact
			require.NoError(t, err)
			doc := parsed.(map[string]any)
			at := doc
			keys := strings.Split(path, ".")
			for _, k := range keys[:len(keys)-1] {
				at = at[k].(map[string]any)
			}
			if at[keys[len(keys)-1]] = to; to == nil {
				delete(at, keys[len(keys)-1])
			}
			text, err := json.Marshal(doc)
			require.NoError(t, err)
			return text
		}
	}
	for name, c := range map[string]struct {
		text func() []byte
		want string
	}{
		"empty":          {func() []byte { return nil }, "it is not JSON"},
		"cut off":        {func() []byte { return good[:len(good)/2] }, "it is not JSON"},
		"syntax":         {func() []byte { return []byte("{\n\"version\": \"brownout.result/v1\",\n\"run\" 3}") }, "line 3 is not JSON"},
		"more after it":  {func() []byte { return append(bytes.Clone(good), '1') }, "after top-level value"},
		"a list":         {func() []byte { return []byte("[]") }, "the file is array where object belongs"},
		"other version":  {change("version", "brownout.result/v2"), `its version is "brownout.result/v2", and this program reads "brownout.result/v1"`},
		"no version":     {change("version", nil), "the file lacks version"},
		"word as number": {change("seconds", "ten"), "seconds is string where number belongs"},
		"field gone":     {change("judgement.run.ttft", nil), "judgement.run lacks ttft"},
		"null list":      {change("events", []any{nil}), "events[0] is null where object belongs"},
		"bad verdict":    {change("judgement.verdict", "maybe"), "judgement.verdict is \"maybe\""},
		"share above 1":  {change("judgement.run.goodput", 1.5), "judgement.run.goodput breaks the rule maximum"},
		"bad date":       {change("started", "yesterday"), "parsing time"},
		"bad outcome":    {change("spec.expected", []any{"fine"}), "no outcome"},
		"too many bits":  {change("start_ns", json.Number("18446744073709551616")), "start_ns"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.json")
			require.NoError(t, os.WriteFile(path, c.text(), 0o600))
			_, err := Read(path)
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, path)
			require.NotContains(t, err.Error(), "\n", "one sentence")
		})
	}
	_, err = Read(filepath.Join(t.TempDir(), "nothing.json"))
	require.ErrorContains(t, err, "brownout run")

	big := filepath.Join(t.TempDir(), "big.json")
	require.NoError(t, os.WriteFile(big, nil, 0o600))
	require.NoError(t, os.Truncate(big, MaxBytes+1))
	_, err = Read(big)
	require.ErrorContains(t, err, "larger than 64 MiB")
}

func TestReadIgnoresFieldsOfLaterPrograms(t *testing.T) {
	good, err := encode(filled())
	require.NoError(t, err)
	later := bytes.Replace(good, []byte("{"), []byte(`{"added_later": {"x": 1},`), 1)
	got, err := decode(later)
	require.NoError(t, err)
	require.Equal(t, filled(), got)
}

func TestBoundEvents(t *testing.T) {
	about := func(requests ...string) (out []event.Event) {
		for i, q := range requests {
			out = append(out, event.Event{Seq: uint64(i + 1), Request: q})
		}
		return out
	}
	for name, c := range map[string]struct {
		in    []event.Event
		limit int
		want  []uint64
		cut   int
	}{
		"enough room":           {about("a", "", "b"), 3, []uint64{1, 2, 3}, 0},
		"requests go first":     {about("a", "", "b", "", "c"), 3, []uint64{1, 2, 4}, 2},
		"then the latest":       {about("a", "", "", ""), 2, []uint64{2, 3}, 2},
		"nothing may stay":      {about("a", ""), 0, []uint64{}, 2},
		"only single requests":  {about("a", "b", "c"), 1, []uint64{1}, 2},
		"no request whatsoever": {about("", "", ""), 1, []uint64{1}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := Result{Events: c.in}
			r.boundEvents(c.limit)
			got := []uint64{}
			for _, e := range r.Events {
				got = append(got, e.Seq)
			}
			require.Equal(t, c.want, got)
			require.Equal(t, c.cut, r.EventsCut)
		})
	}
}

func TestNewRunID(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 48, 1, 0, time.FixedZone("CET", 3600))
	for name, want := range map[string]string{
		"gpu-oom":                      "20261121T114801-gpu-oom-7f3a",
		"../../etc/passwd":             "20261121T114801-etc-passwd-7f3a",
		"  GPU  OOM!  ":                "20261121T114801-gpu-oom-7f3a",
		"":                             "20261121T114801-run-7f3a",
		"日本":                           "20261121T114801-run-7f3a",
		strings.Repeat("ab", 40):       "20261121T114801-" + strings.Repeat("ab", 20) + "-7f3a",
		strings.Repeat("a", 39) + "-b": "20261121T114801-" + strings.Repeat("a", 39) + "-7f3a",
	} {
		require.Equal(t, want, NewRunID(now, name, 0xabcd_7f3a))
	}
	require.NotEqual(t, NewRunID(now, "x", 1), NewRunID(now, "x", 2))
}

func FuzzRead(f *testing.F) {
	good, err := encode(filled())
	require.NoError(f, err)
	f.Add(good)
	f.Add([]byte(`{"version":"brownout.result/v1"}`))
	f.Add([]byte("[[[["))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := decode(text)
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			return
		}
		again, err := encode(r)
		require.NoError(t, err)
		back, err := decode(again)
		require.NoError(t, err)
		third, err := encode(back)
		require.NoError(t, err)
		require.Equal(t, string(again), string(third))
	})
}
