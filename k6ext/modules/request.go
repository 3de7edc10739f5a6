package modules

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/grafana/sobek"
	"go.k6.io/k6/v2/js/common"
)

// body is a request as it goes over the wire, with what the measurement must know of it.
type body struct {
	json   []byte
	model  string
	stream bool
}

// body completes the script's request: model, stream and usage from the client, extraBody where the
// request says nothing.
func (c *Client) body(v sobek.Value) (body, error) {
	if common.IsNullish(v) {
		return body{}, errors.New("chat needs a request: { messages: [{ role: 'user', content: '…' }] }")
	}
	raw, err := stringify(v)
	if err != nil {
		return body{}, fmt.Errorf("chat: %w", err)
	}
	return c.complete(raw)
}

func (c *Client) complete(raw []byte) (body, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var tree map[string]any
	if err := dec.Decode(&tree); err != nil {
		return body{}, fmt.Errorf("chat: the request is no object: %w", err)
	}
	for k, v := range c.config.ExtraBody {
		if _, set := tree[k]; !set {
			tree[k] = v
		}
	}
	b := body{model: c.config.Model, stream: c.config.Stream}
	var wrong []string
	if m, set := tree["model"]; set {
		text, ok := m.(string)
		if !ok {
			wrong = append(wrong, "model must be a text")
		}
		b.model = text
	}
	if b.model == "" && len(wrong) == 0 {
		wrong = append(wrong, "model is missing: name it in the request or in new Client")
	}
	if s, set := tree["stream"]; set {
		flag, ok := s.(bool)
		if !ok {
			wrong = append(wrong, "stream must be true or false")
		}
		b.stream = flag
	}
	if list, ok := tree["messages"].([]any); !ok || len(list) == 0 {
		wrong = append(wrong, "messages must be a list with at least one message")
	}
	if n, set := tree["n"]; set && n != json.Number("1") {
		wrong = append(wrong, "n must be 1: one request is measured as one answer")
	}
	if len(wrong) > 0 {
		return body{}, errors.New("chat: " + strings.Join(wrong, "; "))
	}
	tree["model"], tree["stream"] = b.model, b.stream
	if _, set := tree["stream_options"]; b.stream && !set {
		tree["stream_options"] = map[string]bool{"include_usage": true}
	}
	var err error
	b.json, err = json.Marshal(tree)
	return b, err
}

// params are chat's second argument.
type params struct {
	id   string
	tags map[string]string
}

func readParams(v sobek.Value) (params, error) {
	o, err := read(v)
	if err != nil {
		return params{}, fmt.Errorf("chat: params: %w", err)
	}
	p := params{id: o.Text("id"), tags: o.Texts("tags")}
	if strings.ContainsAny(p.id, "\r\n") || len(p.id) > 128 {
		o.Wrong("id", "is no request id: write at most 128 characters on one line")
	}
	return p, oneSentence("chat: params", o.Mistakes())
}
