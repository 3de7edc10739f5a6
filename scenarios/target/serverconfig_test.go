package target

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestServerConfig(t *testing.T) {
	_, data, err := ServerConfig("chat-8b", "", []string{"router.resumes=0", "cluster.max_sequences=1", "router.idle=1h"})
	require.NoError(t, err)
	assert.YAMLEq(t, "{preset: chat-8b, router: {resumes: 0, idle: 1h}, cluster: {max_sequences: 1}}", string(data))

	file := filepath.Join(t.TempDir(), "mine.yaml")
	require.NoError(t, os.WriteFile(file, []byte("cluster:\n  nodes: 2 # two\n  max_sequences: 64\n"), 0o600))
	name, data, err := ServerConfig("", file, []string{"cluster.max_sequences=1"})
	require.NoError(t, err)
	assert.Equal(t, file, name)
	assert.YAMLEq(t, "{cluster: {nodes: 2, max_sequences: 1}}", string(data), "what the file says else stays")

	_, _, err = ServerConfig("", file+".gone", nil)
	require.ErrorContains(t, err, "cannot read the server's config")
	_, _, err = ServerConfig("", file, []string{"cluster.nodes.more=1"})
	require.ErrorContains(t, err, "has no keys")
}
