package library

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/scenarios/spec"
)

// pages is where users read about the scenarios. The pages are made from the files, so that they cannot
// say anything else; -update writes them.
const pages = "../../docs/scenarios"

func TestPages(t *testing.T) {
	var index strings.Builder
	index.WriteString("# The built-in scenarios\n\nEach asks one question. These pages are made from the scenario files.\n\n| scenario | question |\n|---|---|\n")
	want := map[string]bool{"README.md": true}
	for _, e := range List() {
		data, _ := Read(e.Name)
		s, err := spec.Parse(e.Name+".yaml", data, nil)
		require.NoError(t, err)
		compare(t, e.Name+".md", page(s, string(data), spec.Explain(s, info(t, s))))
		fmt.Fprintf(&index, "| [%s](%s.md) | %s |\n", e.Name, e.Name, e.Question)
		want[e.Name+".md"] = true
	}
	compare(t, "README.md", index.String())
	files, err := os.ReadDir(pages)
	require.NoError(t, err)
	for _, f := range files {
		assert.True(t, want[f.Name()], "%s belongs to no scenario: remove it", f.Name())
	}
}

// page is a scenario's comments as text, what will happen, and its file.
func page(s *spec.Spec, file, explain string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n**%s**\n\n", s.Name, s.Question)
	comments, yaml, _ := strings.Cut(file, "apiVersion:")
	for line := range strings.Lines(comments) {
		text := strings.TrimRight(strings.TrimPrefix(line, "#"), "\n")
		switch {
		case strings.HasPrefix(text, "   "): // continues a paragraph, or is a command of its own
			text = strings.TrimSpace(text)
			if strings.HasPrefix(text, "brownout ") {
				text = "\n```sh\n" + text + "\n```\n"
			}
		case strings.TrimSpace(text) != "":
			text = "## " + strings.TrimSpace(text) + "\n"
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	fmt.Fprintf(&b, "\n## What will happen\n\n```sh\nbrownout explain %s\n```\n\n```text\n%s\n```\n", s.Name, strings.TrimRight(explain, "\n"))
	fmt.Fprintf(&b, "\n## The file\n\n```yaml\napiVersion:%s```\n", yaml)
	return b.String()
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(pages, name)
	if *update {
		require.NoError(t, os.MkdirAll(pages, 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), got, "run with -update and read the difference")
}
