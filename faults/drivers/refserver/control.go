package refserver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// control is the client of the server's admin listener, as far as this driver needs it.
type control struct {
	base  string
	token string
	http  *http.Client
}

const (
	callTimeout = 2 * time.Second
	maxAnswer   = 16 << 20 // bytes; the state of a thousand GPUs is below one
)

func (c control) clock(ctx context.Context) (r event.Reading, err error) {
	return r, c.call(ctx, http.MethodGet, "/admin/clock", nil, &r)
}

func (c control) state(ctx context.Context) (s admin.State, err error) {
	return s, c.call(ctx, http.MethodGet, "/admin/state", nil, &s)
}

func (c control) hold(ctx context.Context, gpu string, req admin.HoldRequest) error {
	return c.call(ctx, http.MethodPost, "/admin/control/gpus/"+gpu+"/holdings", req, nil)
}

func (c control) release(ctx context.Context, gpu, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/control/gpus/"+gpu+"/holdings/"+url.PathEscape(id), nil, nil)
}

func (c control) throttle(ctx context.Context, gpu string, req admin.ThrottleRequest) error {
	return c.call(ctx, http.MethodPost, "/admin/control/gpus/"+gpu+"/throttles", req, nil)
}

func (c control) unthrottle(ctx context.Context, gpu, id string) error {
	return c.call(ctx, http.MethodDelete, "/admin/control/gpus/"+gpu+"/throttles/"+url.PathEscape(id), nil, nil)
}

// probe asks for the activation peak of a full step.
func (c control) probe(ctx context.Context, gpu string) (p admin.ProbeAnswer, err error) {
	return p, c.call(ctx, http.MethodPost, "/admin/control/gpus/"+gpu+"/probe", admin.ProbeRequest{}, &p)
}

func (c control) restart(ctx context.Context, gpu string) error {
	return c.call(ctx, http.MethodPost, "/admin/control/replicas/"+gpu+"/restart", nil, nil)
}

func (c control) call(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var payload io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("cannot write the request %s %s: %w", method, path, err)
		}
		payload = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, payload)
	if err != nil {
		return fmt.Errorf("cannot ask the server at %s: %w", c.base, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if uerr, ok := errors.AsType[*url.Error](err); ok {
			err = uerr.Err
		}
		return fmt.Errorf("no answer from the server's admin listener at %s (%w): is it running there?", c.base, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("the answer of %s to %s %s broke off: %w", c.base, method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return c.refusal(method, path, resp.StatusCode, data)
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s does not answer %s like a brownout server (%w): check the admin address", c.base, path, err)
	}
	return nil
}

func (c control) refusal(method, path string, code int, body []byte) error {
	var e admin.Error
	_ = json.Unmarshal(body, &e) // without a sentence of its own the status must do
	switch {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return fmt.Errorf("the server at %s refuses the admin token: give the one it was started with", c.base)
	case code == http.StatusNotFound && method != http.MethodGet && e.Error == "":
		return fmt.Errorf("the server at %s does not let itself be controlled (404 for %s): start it with its control surface on and an admin token", c.base, path)
	case e.Error != "":
		return refused{code: code, text: fmt.Sprintf("the server at %s answered %d to %s %s: %s", c.base, code, method, path, e.Error)}
	}
	return fmt.Errorf("the server at %s answered %d %s to %s %s", c.base, code, http.StatusText(code), method, path)
}

// refused is an answer that says no, in words.
type refused struct {
	code int
	text string
}

func (r refused) Error() string { return r.text }
