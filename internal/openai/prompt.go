package openai

import (
	"encoding/json"
	"fmt"
	"strings"
)

// FlattenPrompt is the text a model is asked to continue: the text of every message, in order,
// joined by newlines. One user message is exactly its content, so that a load generator which sends
// one can compute the answer. The error names the message that cannot be read.
func FlattenPrompt(messages []Message) (string, error) {
	texts := make([]string, len(messages))
	for i, m := range messages {
		text, err := contentText(m.Content)
		if err != nil {
			return "", fmt.Errorf("messages[%d].content: %w", i, err)
		}
		texts[i] = text
	}
	return strings.Join(texts, "\n"), nil
}

func contentText(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	if raw[0] == '"' {
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &parts); err != nil {
		return "", fmt.Errorf("must be a string or an array of parts")
	}
	var b strings.Builder
	for _, p := range parts {
		if p.Type != "text" {
			return "", fmt.Errorf("part of type %q is not supported; only text is", p.Type)
		}
		b.WriteString(p.Text)
	}
	return b.String(), nil
}
