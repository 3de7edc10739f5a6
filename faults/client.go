package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// ClientConfig says where a holder's API is.
type ClientConfig struct {
	Endpoint string       // base URL, "http://127.0.0.1:9100"
	Token    string       // bearer token
	HTTP     *http.Client // nil = one of its own; its Timeout is not needed, every call is bounded
}

// Client speaks the holder's API. Every method is bounded in time beside its ctx, and every error is
// one sentence; those the holder answered are *APIError. Safe for concurrent use.
type Client struct {
	base  string
	token string
	http  *http.Client
}

// APIError is a refusal of the holder.
type APIError struct {
	Code    int    // HTTP status: 400, 401, 404, 409, 410, 502, 503
	Message string // one sentence
}

// Error is the holder's own sentence.
func (e *APIError) Error() string { return e.Message }

// Bounds of the calls: what the holder may take for each, and some for the way.
const (
	quickCall  = 5 * time.Second
	injectCall = 30 * time.Second // arming; ProveWithin comes on top
	clearCall  = 30 * time.Second
	maxAnswer  = 64 << 20 // bytes
)

// NewClient checks the endpoint and makes a client; nothing is sent yet.
func NewClient(cfg ClientConfig) (*Client, error) {
	u, err := url.Parse(cfg.Endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%q is no fault endpoint: write its base URL, as in http://127.0.0.1:9100", cfg.Endpoint)
	}
	if cfg.Token == "" {
		return nil, errors.New("the fault API wants a token and none is given: set the one its holder was started with")
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{}
	}
	return &Client{base: strings.TrimRight(cfg.Endpoint, "/"), token: cfg.Token, http: cfg.HTTP}, nil
}

// Inject arms a fault. The answer comes when it is proven, or known as unproven (Held.Step), or, for
// a fault with a ramp, after req.ProveWithin with Held.Step still "armed": then Get tells the rest.
// The lease runs from the answer.
func (c *Client) Inject(ctx context.Context, req InjectRequest) (Held, error) {
	return call[Held](ctx, c, injectCall+req.ProveWithin, http.MethodPost, "/faults", req)
}

// Renew extends the lease by lease from now. An *APIError with 404 or 410 says that the fault is gone.
func (c *Client) Renew(ctx context.Context, id string, lease time.Duration) (Held, error) {
	return call[Held](ctx, c, quickCall, http.MethodPost, "/faults/"+url.PathEscape(id)+"/renew", RenewRequest{Lease: lease})
}

// Clear undoes a fault and waits for the proof that it is gone; Held.Step tells whether it is
// ("cleared", "expired") or not ("clear_failed"). Clearing twice is fine.
func (c *Client) Clear(ctx context.Context, id string) (Held, error) {
	return call[Held](ctx, c, clearCall, http.MethodDelete, "/faults/"+url.PathEscape(id), nil)
}

// Get is one fault as the holder knows it, ended ones included.
func (c *Client) Get(ctx context.Context, id string) (Held, error) {
	return call[Held](ctx, c, quickCall, http.MethodGet, "/faults/"+url.PathEscape(id), nil)
}

// List is every fault the holder remembers, oldest first, ended ones included.
func (c *Client) List(ctx context.Context) ([]Held, error) {
	return call[[]Held](ctx, c, quickCall, http.MethodGet, "/faults", nil)
}

// StopAll clears everything and answers with what was on.
func (c *Client) StopAll(ctx context.Context) ([]Held, error) {
	return call[[]Held](ctx, c, clearCall, http.MethodPost, "/faults/stop-all", nil)
}

// Journal is the holder's journal, oldest line first; entries of earlier holders on the same file
// carry another clock id.
func (c *Client) Journal(ctx context.Context) ([]Entry, error) {
	return call[[]Entry](ctx, c, quickCall, http.MethodGet, "/faults/journal", nil)
}

// Kinds is what the holder's drivers can do.
func (c *Client) Kinds(ctx context.Context) ([]KindInfo, error) {
	return call[[]KindInfo](ctx, c, quickCall, http.MethodGet, "/faults/kinds", nil)
}

// Targets are the candidates by selector key.
func (c *Client) Targets(ctx context.Context) (map[string][]string, error) {
	return call[map[string][]string](ctx, c, quickCall, http.MethodGet, "/faults/targets", nil)
}

// Check resolves the fault's selector, injects nothing and answers with the targets.
func (c *Client) Check(ctx context.Context, req InjectRequest) ([]string, error) {
	return call[[]string](ctx, c, quickCall, http.MethodPost, "/faults/check", req)
}

// Clock reads the holder's clock. The caller stamps before and after for event.Estimate.
func (c *Client) Clock(ctx context.Context) (event.Reading, error) {
	return call[event.Reading](ctx, c, quickCall, http.MethodGet, "/faults/clock", nil)
}

func call[T any](ctx context.Context, c *Client, within time.Duration, method, path string, body any) (T, error) {
	var out T
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return out, fmt.Errorf("cannot write the request to the fault holder: %w", err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return out, fmt.Errorf("cannot ask the fault holder at %s: %w", c.base, err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if uerr, ok := errors.AsType[*url.Error](err); ok {
			err = uerr.Err
		}
		return out, fmt.Errorf("no answer from the fault holder at %s (%w): is it running there?", c.base, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return out, fmt.Errorf("the answer of the fault holder at %s broke off: %w", c.base, err)
	}
	if resp.StatusCode/100 != 2 {
		return out, refusal(c.base, resp.StatusCode, data)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("%s does not answer like a fault holder (%w): check the endpoint", c.base, err)
	}
	return out, nil
}

func refusal(base string, code int, body []byte) error {
	var e Error
	if json.Unmarshal(body, &e) != nil || e.Error == "" {
		e.Error = fmt.Sprintf("%s answered %d %s, which no fault holder says: check the endpoint", base, code, http.StatusText(code))
	}
	return &APIError{Code: code, Message: e.Error}
}
