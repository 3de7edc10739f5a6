package client

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/record"
)

// Over HTTP/2 only the stream ends: the server's request is cancelled, and the connection lives on.
func TestHangingUpResetsTheStreamOfHTTP2(t *testing.T) {
	gone, peers := make(chan string, 2), map[string]bool{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peers[r.RemoteAddr] = true
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			fmt.Fprint(w, `data: {"choices":[{"index":0,"delta":{"content":" x"},"finish_reason":null}]}`+"\n\n")
		}
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // never, if nobody hangs up
		gone <- r.Proto
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(ca, cert, 0o600))

	cfg := testConfig("")
	cfg.BaseURL, cfg.CAFile, cfg.Exact = server.URL, ca, false
	c, err := New(cfg)
	require.NoError(t, err)
	defer c.Close()
	for range 2 {
		req := first(c, 8)
		req.CancelTokens = 3
		r := c.Do(t.Context(), req).Record
		require.Equal(t, record.Cancelled, r.Outcome, "%s", r.Note)
		require.Equal(t, 3, r.Chunks)
		require.Equal(t, "HTTP/2.0", <-gone)
	}
	assert.Len(t, peers, 1, "one connection served both")
}
