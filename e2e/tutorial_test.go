package e2e

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The tutorial, word by word: every block of commands is run in one shell, in order.
func TestE2ETutorial(t *testing.T) {
	text, err := os.ReadFile("../docs/tutorial.md")
	require.NoError(t, err)
	var script strings.Builder
	blocks := 0
	for i, part := range strings.Split(string(text), "\n```") {
		if code, ok := strings.CutPrefix(part, "sh\n"); ok && i%2 == 1 {
			blocks++
			script.WriteString(strings.ReplaceAll(code, "make build", "true") + "\n") // it is built already
		}
	}
	require.Greater(t, blocks, 8)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script.String())
	cmd.Dir = t.TempDir()
	bin := filepath.Dir(Binary(t))
	require.NoError(t, os.Symlink(bin, filepath.Join(cmd.Dir, "bin")))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Run(), "%s", &out)
	said := out.String()
	assert.Equal(t, 3, strings.Count(said, "exit code 99"), "%s", said)
	assert.Equal(t, 1, strings.Count(said, "exit code 1\n"), "%s", said)
	assert.Contains(t, said, "mine.yaml:18", "the mistake has its line")
	assert.Equal(t, 3, strings.Count(said, "P A S S"), "%s", said)
}
