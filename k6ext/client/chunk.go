package client

import (
	"encoding/json"
	"errors"
	"fmt"
)

// chunk is what one stream event means to the measurement.
type chunk struct {
	text      []byte // content delta; points into the event, or is freshly made where it had escapes
	other     bool   // a reasoning, tool or refusal delta with something in it
	finished  bool   // finish_reason is set
	index     int    // of the choice
	choices   int
	usage     bool
	prompt    int // usage
	output    int // usage
	serverErr []byte
}

// content reports whether the chunk carries something a user sees.
func (c *chunk) content() bool { return len(c.text) > 0 || c.other }

// wireChunk names only what is measured: a server whose other fields are odd is not corrupt.
type wireChunk struct {
	Choices []struct {
		Index        int             `json:"index"`
		Delta        *wireDelta      `json:"delta"`
		Message      *wireDelta      `json:"message"` // of an answer without stream
		FinishReason json.RawMessage `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt int `json:"prompt_tokens"`
		Output int `json:"completion_tokens"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

type wireDelta struct {
	Content          *string         `json:"content"`
	ReasoningContent *string         `json:"reasoning_content"`
	Reasoning        *string         `json:"reasoning"`
	Refusal          *string         `json:"refusal"`
	ToolCalls        json.RawMessage `json:"tool_calls"`
}

// decodeAny reads a chunk of any shape, and the body of an answer without stream.
func decodeAny(data []byte) (chunk, error) {
	var w wireChunk
	if err := json.Unmarshal(data, &w); err != nil {
		return chunk{}, fmt.Errorf("broken JSON: %w", err)
	}
	c := chunk{choices: len(w.Choices)}
	if set(w.Error) {
		c.serverErr = w.Error
	}
	if w.Usage != nil {
		c.usage, c.prompt, c.output = true, w.Usage.Prompt, w.Usage.Output
	}
	if len(w.Choices) > 1 {
		return chunk{}, errors.New("more than one choice in an event, one was asked for")
	}
	for _, choice := range w.Choices {
		c.index = choice.Index
		c.finished = set(choice.FinishReason) && string(choice.FinishReason) != `""`
		for _, d := range []*wireDelta{choice.Delta, choice.Message} {
			if d == nil {
				continue
			}
			if d.Content != nil {
				c.text = []byte(*d.Content)
			}
			c.other = c.other || filled(d.ReasoningContent) || filled(d.Reasoning) || filled(d.Refusal) ||
				(set(d.ToolCalls) && string(d.ToolCalls) != "[]")
		}
	}
	return c, nil
}

func set(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

func filled(s *string) bool { return s != nil && *s != "" }
