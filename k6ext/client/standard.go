package client

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/openai"
)

// standard carries requests by net/http.
type standard struct {
	client    *Client
	transport *http.Transport
}

func (c *Client) standardCarrier() *standard {
	return &standard{client: c, transport: &http.Transport{
		DialContext:         c.dialler(),
		TLSClientConfig:     c.tls,
		TLSHandshakeTimeout: c.ConnectTimeout,
		ForceAttemptHTTP2:   strings.HasPrefix(c.url, "https:"),
		DisableCompression:  true, // a compressed stream comes in lumps
		MaxIdleConns:        c.MaxIdle,
		MaxIdleConnsPerHost: c.MaxIdle,
		IdleConnTimeout:     90 * time.Second,
		ReadBufferSize:      4 << 10,
		WriteBufferSize:     8 << 10,
	}}
}

// dialler makes connections.
func (s *settings) dialler() func(ctx context.Context, network, address string) (net.Conn, error) {
	if s.Dial != nil {
		return s.Dial
	}
	return (&net.Dialer{Timeout: s.ConnectTimeout, KeepAlive: 15 * time.Second}).DialContext
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
	for k, v := range s.client.kinds[req.Class].headers {
		hr.Header[k] = v
	}
	hr.Header.Set(openai.HeaderRequestID, req.ID)
	resp, err := s.transport.RoundTrip(hr) //nolint:bodyclose // done closes it
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
