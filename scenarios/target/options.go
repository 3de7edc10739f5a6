package target

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

// ParseHeaders reads the lines of --header, NAME=VALUE, each name once.
func ParseHeaders(lines []string) (map[string]string, error) {
	if len(lines) == 0 {
		return nil, nil //nolint:nilnil // none given, none wrong
	}
	headers := make(map[string]string, len(lines))
	var wrong []error
	for i, line := range lines {
		name, value, ok := strings.Cut(line, "=")
		if !ok { // the line is not shown: it may be a secret
			wrong = append(wrong, fmt.Errorf("--header number %d is not NAME=VALUE; write for example X-Team=blue or X-Api-Key=env:TEAM_KEY", i+1))
			continue
		}
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		for known := range headers {
			if strings.EqualFold(known, name) {
				wrong = append(wrong, fmt.Errorf("--header %q is given twice; keep one", name))
			}
		}
		headers[name] = value
	}
	return headers, errors.Join(wrong...)
}

// ParseBody reads --body: one JSON object, whose numbers keep every digit.
func ParseBody(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none given, none wrong
	}
	var body map[string]any
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	err := dec.Decode(&body)
	if _, more := dec.Token(); err != nil || body == nil || !errors.Is(more, io.EOF) {
		return nil, errors.New(`--body is not one JSON object; write for example --body '{"temperature":0}'`)
	}
	return body, nil
}

// ParseMaxRate reads --max-rate in requests/s; 0 = no cap.
func ParseMaxRate(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	var r yamlx.Rate
	if err := r.UnmarshalText([]byte(text)); err != nil {
		return 0, fmt.Errorf("--max-rate: %w", err)
	}
	if r <= 0 {
		return 0, fmt.Errorf("--max-rate %s allows nothing at all; write for example 50/s", text)
	}
	return float64(r), nil
}
