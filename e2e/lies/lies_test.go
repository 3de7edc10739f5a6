package lies

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "rewrite docs/lies.md")

func root(t testing.TB) string {
	t.Helper()
	path, err := filepath.Abs("../..")
	require.NoError(t, err)
	return path
}

func e2e(t *testing.T) {
	t.Helper()
	if os.Getenv("BROWNOUT_E2E") == "" {
		t.Skip("runs the built binary for minutes: make lies, or BROWNOUT_E2E=1")
	}
}

// Every guard is where the suite says it is. This keeps the mutation run honest between its runs.
func TestEveryGuardIsThere(t *testing.T) {
	names := map[string]bool{}
	for _, lie := range All() {
		assert.False(t, names[lie.Name], "%s: twice", lie.Name)
		names[lie.Name] = true
		assert.NotEmpty(t, lie.Guard, lie.Name)
		_, err := mutate(root(t), t.TempDir(), lie.Guard)
		require.NoError(t, err, lie.Name)
	}
	_, err := mutate(root(t), t.TempDir(), []Edit{{"go.mod", "no such line", ""}})
	require.Error(t, err)
	_, err = mutate(root(t), t.TempDir(), []Edit{{"go.mod", "github.com", ""}})
	require.Error(t, err, "more than once")
}

// The page in the docs is this suite. -update writes it.
func TestPage(t *testing.T) {
	file := filepath.Join(root(t), "docs", "lies.md")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(Page()), 0o644))
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, Page(), string(text), "run with -update and read the difference")
}

func TestBasicLies(t *testing.T) {
	e2e(t)
	binary := filepath.Join(root(t), "bin", "brownout")
	_, err := os.Stat(binary)
	require.NoError(t, err, "build it first: make build")
	for _, lie := range All() {
		t.Run(strings.ReplaceAll(lie.Name, " ", "-"), func(t *testing.T) {
			require.NoError(t, lie.Retold(func() *Stage { return NewStage(t, binary) }), "%s\nthe truth: %s", lie.Told, lie.Truth)
		})
	}
}

// The mutation run: without its guard each lie is believed.
func TestMutants(t *testing.T) {
	if os.Getenv("BROWNOUT_MUTANTS") == "" {
		t.Skip("builds brownout once a lie: make mutants, or BROWNOUT_MUTANTS=1")
	}
	for _, lie := range All() {
		t.Run(strings.ReplaceAll(lie.Name, " ", "-"), func(t *testing.T) {
			binary := buildMutant(t, lie.Guard)
			err := lie.Retold(func() *Stage { return NewStage(t, binary) })
			var believed *Fooled
			require.ErrorAs(t, err, &believed, "the guard was taken away and nothing changed: %v", lie.Guard)
			t.Logf("believed: %.300s", err)
		})
	}
}

// buildMutant builds brownout with a guard taken away. The source on disk stays as it is.
func buildMutant(t *testing.T, guard []Edit) string {
	t.Helper()
	dir := t.TempDir()
	replace, err := mutate(root(t), dir, guard)
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	require.NoError(t, err)
	file, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "brownout")
	require.NoError(t, os.WriteFile(file, overlay, 0o600))
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "-o", binary, "./cmd/brownout")
	build.Dir = root(t)
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return binary
}

// mutate writes the edited files into dir and returns them by the file each stands for.
func mutate(root, dir string, guard []Edit) (map[string]string, error) {
	replace := map[string]string{}
	for _, e := range guard {
		path := filepath.Join(root, e.File)
		from := path
		if edited, twice := replace[path]; twice {
			from = edited
		}
		source, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		if n := strings.Count(string(source), e.Old); n != 1 {
			return nil, errors.New(e.File + ": the guard must be there exactly once: " + e.Old)
		}
		to := filepath.Join(dir, strings.ReplaceAll(e.File, "/", "_"))
		if err := os.WriteFile(to, []byte(strings.Replace(string(source), e.Old, e.New, 1)), 0o600); err != nil {
			return nil, err
		}
		replace[path] = to
	}
	return replace, nil
}
