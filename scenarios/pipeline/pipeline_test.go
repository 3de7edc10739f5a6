package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/pipeline"
	"github.com/brownout-dev/brownout/scenarios/pipeline/pipelinetest"
)

func config(forge string, scenarios ...string) pipeline.Config {
	return pipeline.Config{Forge: forge, Scenarios: scenarios, Version: "v0.1.0", Go: "1.26"}
}

func legs(t *testing.T, forge string, scenarios ...string) []pipelinetest.Leg {
	t.Helper()
	text, err := pipeline.Text(config(forge, scenarios...))
	require.NoError(t, err)
	read := pipelinetest.GitHub
	if forge == "gitlab" {
		read = pipelinetest.GitLab
	}
	all, err := read(text)
	require.NoError(t, err, "%s", text)
	return all
}

// fake is a brownout that ends with the given codes, one a call, and a go that installs it.
const fake = `#!/bin/sh
n=$(cat "$FAKE/calls" 2>/dev/null || echo 0); n=$((n + 1)); echo "$n" > "$FAKE/calls"
code=$(echo "$FAKE_CODES" | cut -d' ' -f"$n")
[ "$1" = run ] && [ "$2" = "$SCENARIO" ] && [ "$3" = --out ] || exit 64
if [ "$code" != 1 ]; then
  mkdir -p "$4/run-$n" && echo "report $n of $2: $code" > "$4/run-$n/report.md" && echo "<testsuites/>" > "$4/run-$n/junit.xml"
fi
exit "$code"
`

const fakeGo = `#!/bin/sh
case "$1" in
  install) [ "$2" = github.com/brownout-dev/brownout/cmd/brownout@v0.1.0 ] && cp "$FAKE/brownout" "$GOBIN/brownout" ;;
  build) [ "$2" = -o ] && [ "$4" = ./cmd/brownout ] && cp "$FAKE/brownout" "$3" ;;
  *) exit 64 ;;
esac
`

// play runs a leg where brownout ends with these codes.
func play(t *testing.T, leg pipelinetest.Leg, codes string, env ...string) pipelinetest.Outcome {
	t.Helper()
	dir, tools := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(tools, "brownout"), []byte(fake), 0o700))
	require.NoError(t, os.MkdirAll(filepath.Join(tools, "bin"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(tools, "bin", "go"), []byte(fakeGo), 0o700))
	env = append([]string{"FAKE=" + tools, "FAKE_CODES=" + codes, "PATH=" + filepath.Join(tools, "bin") + ":" + os.Getenv("PATH")}, env...)
	out, err := leg.Run(t.Context(), dir, t.TempDir(), env...)
	require.NoError(t, err)
	return out
}

func TestExitCodesBecomeTheJobsFate(t *testing.T) {
	for _, forge := range []string{"github", "gitlab"} {
		for _, tc := range []struct {
			codes, unknown, says string
			code                 int // of the job
			runs                 int // reports that are kept
		}{
			{codes: "0", code: 0, runs: 1},
			{codes: "99", code: 99, runs: 1, says: "FAIL"},
			{codes: "3 0", code: 0, runs: 2, says: "trying once more"},
			{codes: "3 99", code: 99, runs: 2, says: "FAIL"},
			{codes: "3 3 0", code: 3, runs: 2, says: "UNKNOWN twice"},
			{codes: "3 3 0", unknown: "warn", code: 0, runs: 2, says: "UNKNOWN twice"},
			{codes: "3 1", code: 1, runs: 1, says: "no verdict"},
			{codes: "1", code: 1, says: "no verdict: brownout ended with code 1"},
			{codes: "130", code: 130, runs: 1, says: "no verdict"},
		} {
			t.Run(forge+" "+tc.codes+tc.unknown, func(t *testing.T) {
				leg := legs(t, forge, "gpu-oom")[0]
				if tc.unknown != "" {
					leg.Env["BROWNOUT_ON_UNKNOWN"] = tc.unknown
				}
				out := play(t, leg, tc.codes)
				assert.Equal(t, tc.code, out.Code, out.Output)
				assert.Equal(t, tc.code == 0, out.OK)
				assert.Contains(t, out.Output, tc.says)
				kept := 0
				for name, files := range out.Artifacts {
					if !strings.Contains(name, "junit") {
						kept += len(files)
						continue
					}
					assert.LessOrEqual(t, len(files), 1, "only the last run counts")
				}
				assert.Equal(t, 2*tc.runs, kept, "%v", out.Artifacts)
				if forge == "github" {
					assert.Equal(t, tc.runs, strings.Count(out.Summary, "report "), out.Summary)
				}
			})
		}
	}
}

func TestEveryScenarioHasItsLeg(t *testing.T) {
	for _, forge := range []string{"github", "gitlab"} {
		all := legs(t, forge, "gpu-oom", "tests/own.yaml")
		require.Len(t, all, 2)
		assert.Equal(t, "tests/own.yaml", all[1].Env["SCENARIO"])
		out := play(t, all[1], "0")
		assert.True(t, out.OK, out.Output)
	}
}

// In brownout's own repository the pipeline tests what is checked out.
func TestOwnRepositoryBuildsItself(t *testing.T) {
	leg := legs(t, "github", "steady")[0]
	require.Equal(t, "Install brownout", leg.Steps[2].Name)
	leg.Steps[2].Script = "printf 'module github.com/brownout-dev/brownout\\n' > go.mod\n" + leg.Steps[2].Script
	leg.Env["BROWNOUT_VERSION"] = "none"
	assert.True(t, play(t, leg, "0").OK)
}

func TestWriteNeverOverwritesUnasked(t *testing.T) {
	for forge, path := range map[string]string{"github": ".github/workflows/brownout.yml", "gitlab": ".gitlab-ci.yml"} {
		dir := t.TempDir()
		got, err := pipeline.Write(dir, config(forge, "steady"), false)
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, path), got)
		require.NoError(t, os.WriteFile(got, []byte("mine"), 0o600))
		_, err = pipeline.Write(dir, config(forge, "steady"), false)
		require.ErrorContains(t, err, "--force")
		kept, err := os.ReadFile(got)
		require.NoError(t, err)
		assert.Equal(t, "mine", string(kept))
		_, err = pipeline.Write(dir, config(forge, "steady"), true)
		require.NoError(t, err)
		text, err := pipeline.Text(config(forge, "steady"))
		require.NoError(t, err)
		written, err := os.ReadFile(got)
		require.NoError(t, err)
		assert.Equal(t, string(text), string(written))
	}
}

func TestTextRefuses(t *testing.T) {
	for _, name := range []string{"", "a b", "a;b", `a"b`, "$(x)", "a\nb", "../x.yaml", "/etc/x.yaml", "-x", "ü", "${{ x }}", "a'b", "`x`"} {
		_, err := pipeline.Text(config("github", "steady", name))
		require.ErrorContains(t, err, "--scenario", "%q", name)
	}
	_, err := pipeline.Text(config("jenkins"))
	require.ErrorContains(t, err, "write github or gitlab")
	require.ErrorContains(t, err, "--scenario", "all at once")
}

// Negative controls: the runner sees what would not work.
func TestTheRunnerSees(t *testing.T) {
	text, err := pipeline.Text(config("github", "steady"))
	require.NoError(t, err)
	for old, bad := range map[string]string{
		`brownout run "$SCENARIO"`:   `brownout run ${{ matrix.scenario }}`,
		"actions/checkout@v4":        "actions/checkout",
		"if: always()":               "if: sometimes()",
		"${{ strategy.job-index }}":  "${{ secrets.x }}",
		"    runs-on: ubuntu-latest": "",
	} {
		require.Contains(t, string(text), old)
		_, err := pipelinetest.GitHub([]byte(strings.ReplaceAll(string(text), old, bad)))
		require.Error(t, err, bad)
	}
	leg := legs(t, "github", "steady")[0]
	leg.Steps[0].Uses = "someone/else"
	_, err = leg.Run(t.Context(), t.TempDir(), t.TempDir())
	assert.ErrorContains(t, err, fmt.Sprintf("%q", "someone/else"))
}
