package render

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run go test -update")
	require.Equal(t, string(want), got)
}

func text(t *testing.T, r result.Result, opt TerminalOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, Terminal(&b, r, opt))
	return b.String()
}

func TestTerminal(t *testing.T) {
	for name, r := range fixtures() {
		got := text(t, r, TerminalOptions{Report: "runs/" + r.Run + "/report.html"})
		golden(t, name+".txt", got)
		require.NotContains(t, got, "\x1b", "no colour unless asked")
		for line := range strings.Lines(got) {
			require.LessOrEqual(t, width(strings.TrimSuffix(line, "\n")), 80, line)
		}
	}
	golden(t, "fail-color-100.txt", text(t, broken(), TerminalOptions{Color: true, Width: 100}))
}

func TestColourAddsNothingElse(t *testing.T) {
	plain := text(t, broken(), TerminalOptions{})
	colour := text(t, broken(), TerminalOptions{Color: true})
	for _, code := range []string{"0", bold, dim, red, green, yellow} {
		colour = strings.ReplaceAll(colour, "\x1b["+code+"m", "")
	}
	var lines []string
	for line := range strings.SplitSeq(colour, "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	require.Equal(t, plain, strings.Join(lines, "\n"))
}

func TestNamesCannotSteerTheTerminal(t *testing.T) {
	r := broken()
	poison(reflect.ValueOf(&r).Elem(), "\x1b[2J\x9b31m\r\nx\u202e\x07")
	got := text(t, r, TerminalOptions{Report: "\x1b]0;x\x07"})
	for _, c := range []string{"\x1b", "\x9b", "\u009b", "\r", "\u202e", "\x07"} {
		require.NotContains(t, got, c)
	}
}

func TestTerminalOfNothing(t *testing.T) {
	require.Contains(t, text(t, result.Result{}, TerminalOptions{Width: 1}), "U N K N O W N")
}

func TestTieKeepsUnits(t *testing.T) {
	require.Equal(t, "took 12"+tied+"s, of 99.6"+tied+"% and 5 more", tie("took 12 s, of 99.6 % and 5 more"))
	require.Equal(t, "8"+tied+"ms a b 3 cats", tie("8 ms  a\nb 3 cats"))
}
