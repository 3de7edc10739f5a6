package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/record"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Class is what requests of one class of a mix have of their own.
type Class struct {
	Name   string // of every record
	Model  string // "model" of every request
	Tenant string // of every record
	Stream bool
	Key    string      // API key; "" sends no Authorization header
	Limits load.Limits // in place of the client's
}

// kind is a Class, ready to be sent.
type kind struct {
	Class
	headers http.Header // shared by its requests, never written after New
	static  []byte      // the part of the body that is the same for all: `"model":"m",…`
	limits  slo.Limits
}

// kinds are the classes, or the one that Config itself describes.
func (c *Config) kinds(common http.Header) ([]kind, error) {
	classes := c.Classes
	if len(classes) == 0 {
		classes = []Class{{Model: c.Model, Tenant: c.Tenant, Stream: c.Stream, Key: c.Key, Limits: c.Limits}}
	}
	out := make([]kind, len(classes))
	var wrong []error
	for i, class := range classes {
		k := kind{Class: class, headers: common.Clone(), limits: slo.Limits(class.Limits)}
		k.headers.Set("Content-Type", "application/json")
		k.headers.Set("Accept", "application/json")
		if class.Stream {
			k.headers.Set("Accept", "text/event-stream")
		}
		if class.Key != "" {
			k.headers.Set("Authorization", "Bearer "+class.Key)
		}
		var err error
		if k.static, err = c.staticBody(&class); err != nil {
			wrong = append(wrong, err)
		}
		out[i] = k
	}
	return out, errors.Join(wrong...)
}

func (c *Config) staticBody(class *Class) ([]byte, error) {
	fields := map[string]any{"model": class.Model}
	if c.Exact {
		fields["ignore_eos"] = true // the answer has exactly max_tokens tokens
	}
	if class.Stream {
		fields["stream"] = true
		if !c.NoUsage {
			fields["stream_options"] = map[string]bool{"include_usage": true}
		}
	}
	maps.Copy(fields, c.ExtraBody)
	body, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("client.extra_body is no JSON: %w", err)
	}
	return body[1 : len(body)-1], nil
}

// record is a request of this kind of which nothing is known yet.
func (k *kind) record(a *load.Arrival, due event.Time) record.Record {
	return record.Record{Arrival: a.Index, ID: a.ID, Class: k.Name, Tenant: k.Tenant, Model: k.Model, Streaming: k.Stream, Due: due}
}
