package render

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/brownout-dev/brownout/reports/result"
)

// tokensBy says whose count of output tokens a report shows; empty without complete answers.
func tokensBy(t result.TokenSources) string {
	switch {
	case t.Usage == 0 && t.Chunks == 0:
		return ""
	case t.Chunks == 0:
		return "by the server's usage"
	case t.Usage == 0:
		return "by content chunks, which is an estimate: no answer carried usage"
	}
	return "by the server's usage, and in " + count(t.Chunks) + " of " + count(t.Usage+t.Chunks) + " answers, which carried none, by content chunks: an estimate"
}

// spoken is what a server of ours was set to, or how one that was there already was spoken to. Secrets are
// names of environment variables.
func spoken(t result.Target) []fact {
	var out []fact
	if len(t.Settings) > 0 {
		out = append(out, fact{"server settings", strings.Join(t.Settings, ", ")})
	}
	if t.KeyEnv != "" {
		out = append(out, fact{"API key", "from $" + t.KeyEnv})
	}
	headers := make([]string, 0, len(t.Headers))
	for _, name := range slices.Sorted(maps.Keys(t.Headers)) {
		headers = append(headers, name+": "+t.Headers[name])
	}
	if len(headers) > 0 {
		out = append(out, fact{"extra headers", strings.Join(headers, "; ")})
	}
	if t.CAFile != "" {
		out = append(out, fact{"CA file", t.CAFile})
	}
	if body, err := json.Marshal(t.ExtraBody); err == nil && len(t.ExtraBody) > 0 {
		out = append(out, fact{"extra body fields", string(body)})
	}
	if t.MaxRate > 0 {
		out = append(out, fact{"rate cap", rate(t.MaxRate) + " requests/s"})
	}
	return out
}
