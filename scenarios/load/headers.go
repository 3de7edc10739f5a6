package load

import (
	"fmt"
	"maps"
	"net/textproto"
	"slices"
	"strings"
)

// EnvPrefix begins a header's value that is not the value itself but the name of the environment
// variable that holds it: "env:TEAM_TOKEN". What is written to files stays free of secrets that way.
const EnvPrefix = "env:"

// ownHeaders are set by the client on every request.
func ownHeaders() []string {
	return []string{"Accept", "Accept-Encoding", "Connection", "Content-Length", "Content-Type", "Host", "Te", "Trailer",
		"Transfer-Encoding", "Upgrade", "X-Request-Id"}
}

// CheckHeaders reports everything that is wrong with extra headers, one sentence each that begins
// with the header's name.
func CheckHeaders(headers map[string]string) []error {
	var wrong []error
	bad := func(name, format string, args ...any) {
		wrong = append(wrong, fmt.Errorf("%.80q "+format, append([]any{name}, args...)...))
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		value := headers[name]
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		env, fromEnv := strings.CutPrefix(value, EnvPrefix)
		switch {
		case !isToken(name):
			bad(name, "is no header name: write letters, digits and dashes")
		case slices.Contains(ownHeaders(), canonical):
			bad(name, "is set by brownout itself: remove it")
		case seen[canonical]:
			bad(name, "is given twice: keep one")
		case fromEnv && !isEnvName(env):
			bad(name, "names the environment variable %.80q: write for example env:TEAM_TOKEN", env)
		case strings.ContainsFunc(value, func(c rune) bool { return c < ' ' && c != '\t' || c == 0x7f }):
			bad(name, "has a control character in its value: remove it")
		}
		seen[canonical] = true
	}
	return wrong
}

const envRunes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

// isEnvName reports whether s may name an environment variable.
func isEnvName(s string) bool { return s != "" && strings.Trim(s, envRunes) == "" }

// isToken reports whether s may be a field name of HTTP (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.Trim(s, envRunes+"!#$%&'*+-.^`|~") == ""
}

// ResolveHeaders replaces what EnvPrefix refers to. secrets are the values that came from the
// environment.
func ResolveHeaders(headers map[string]string, lookup func(string) (string, bool)) (resolved map[string]string, secrets []string, err error) {
	resolved = make(map[string]string, len(headers))
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		env, fromEnv := strings.CutPrefix(headers[name], EnvPrefix)
		if !fromEnv {
			resolved[name] = headers[name]
			continue
		}
		value, ok := lookup(env)
		if !ok || value == "" {
			return nil, nil, fmt.Errorf("%q names the environment variable %s, which is empty: export the value there", name, env)
		}
		resolved[name] = value
		secrets = append(secrets, value)
	}
	return resolved, secrets, nil
}

// CheckBody reports the extra body fields that the plan decides.
func CheckBody(extra map[string]any) []error {
	var wrong []error
	for _, k := range slices.Sorted(maps.Keys(extra)) {
		if slices.Contains(plannedFields(), k) {
			wrong = append(wrong, fmt.Errorf("sets %q: the plan decides that, remove it", k))
		}
	}
	return wrong
}

// plannedFields are the body fields that the plan decides.
func plannedFields() []string {
	return []string{"max_tokens", "messages", "model", "seed", "stream", "stream_options"}
}
