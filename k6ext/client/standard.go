package client

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptrace"

	"github.com/brownout-dev/brownout/internal/openai"
)

// standard carries requests by net/http.
type standard struct {
	client    *Client
	transport *http.Transport
}

func (s *standard) send(parent context.Context, req *Request, w *watchdog) (answer, error) {
	ctx, cancel := context.WithCancel(parent)
	w.cutBy(cancelled(cancel))
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { w.connected() }})
	hr, err := http.NewRequestWithContext(ctx, http.MethodPost, s.client.url, bytes.NewReader(req.Body))
	if err != nil {
		cancel()
		return nil, err
	}
	for k, v := range s.client.headers {
		hr.Header[k] = v
	}
	hr.Header.Set(openai.HeaderRequestID, req.ID)
	resp, err := s.transport.RoundTrip(hr)
	if err != nil {
		cancel()
		return nil, err
	}
	return standardAnswer{resp, cancel}, nil
}

func (s *standard) close() { s.transport.CloseIdleConnections() }

type standardAnswer struct {
	resp   *http.Response
	cancel context.CancelFunc
}

func (a standardAnswer) Status() int                { return a.resp.StatusCode }
func (a standardAnswer) Header(name string) string  { return a.resp.Header.Get(name) }
func (a standardAnswer) Read(p []byte) (int, error) { return a.resp.Body.Read(p) }

func (a standardAnswer) done(bool) {
	a.resp.Body.Close()
	a.cancel()
}
