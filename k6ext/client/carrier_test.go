package client

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
	"github.com/brownout-dev/brownout/reports/record"
)

// What the target sees does not tell who carried it.
func TestBothCarriersSendTheSame(t *testing.T) {
	type seen struct {
		method, uri, host, proto string
		header                   http.Header
		length                   int64
		body                     string
	}
	var got [2]seen
	for i := range got {
		synctest.Test(t, func(t *testing.T) {
			pipe := fakellm.NewPipe()
			server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				got[i] = seen{r.Method, r.RequestURI, r.Host, r.Proto, r.Header.Clone(), r.ContentLength, string(body)}
				w.WriteHeader(http.StatusTeapot)
			})}
			defer server.Close()
			go func() { _ = server.Serve(pipe) }() // ends with ErrServerClosed
			cfg := testConfig("")
			cfg.BaseURL, cfg.Key, cfg.Dial = "http://Fake.example:80/prefix%20x/", "sk-1", pipe.Dial
			cfg.Headers["X-Team"] = "blue"
			c, err := New(cfg)
			require.NoError(t, err)
			defer c.Close()
			if i == 1 {
				c.carrier = c.standardCarrier()
			} else {
				require.IsType(t, &lean{}, c.carrier)
			}
			assert.Equal(t, http.StatusTeapot, c.Do(t.Context(), first(c, 4)).Record.Status)
		})
	}
	assert.Equal(t, got[1], got[0])
	assert.Equal(t, "blue", got[0].header.Get("X-Team"))
}

// TLS goes by net/http.
func TestCarrierOfTLS(t *testing.T) {
	cfg := testConfig("")
	cfg.BaseURL = "https://fake"
	c, err := New(cfg)
	require.NoError(t, err)
	assert.IsType(t, &standard{}, c.carrier)
}

// A connection that the server closes between two requests costs neither of them.
func TestServerClosesBetweenRequests(t *testing.T) {
	url, stop, err := (&fakellm.Server{Pick: func(n uint64) fakellm.Script {
		if n == 1 {
			return fakellm.Script{Fail: fakellm.FailClose, After: 2}
		}
		return fakellm.Script{}
	}}).Listen()
	require.NoError(t, err)
	defer stop()
	cfg := testConfig("")
	cfg.BaseURL = url
	c, err := New(cfg)
	require.NoError(t, err)
	defer c.Close()
	for _, want := range []record.Outcome{record.OK, record.Reset, record.OK, record.OK} {
		r := c.Do(t.Context(), first(c, 8)).Record
		require.Equal(t, want, r.Outcome, "%s", r.Note)
	}
}
