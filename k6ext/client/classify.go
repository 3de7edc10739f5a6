package client

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/brownout-dev/brownout/reports/record"
)

// classify puts a transport error into its outcome. late is the timeout of ours that ended the
// request, or nil.
func classify(late *timeout, err error) (record.Outcome, string) {
	if late != nil {
		return late.outcome, late.text
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		if op.Timeout() {
			return record.TimeoutConnect, "no connection in time"
		}
		return record.Refused, plainError(err)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return record.Refused, dns.Error()
	}
	if isTLS(err) {
		return record.Refused, plainError(err)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return record.Reset, "the connection closed in the middle of the answer"
	}
	return record.Reset, plainError(err)
}

// isTLS: a handshake that fails never gave a connection.
func isTLS(err error) bool {
	text := err.Error()
	return strings.HasPrefix(text, "tls: ") || strings.HasPrefix(text, "x509: ") ||
		strings.HasPrefix(text, "remote error: tls") || strings.Contains(text, "TLS handshake timeout")
}

// plainError leaves addresses out, so that equal failures have equal notes.
func plainError(err error) string {
	if sys, ok := errors.AsType[*os.SyscallError](err); ok {
		return sys.Error()
	}
	return err.Error()
}

// errorText finds the sentence in an error body of any usual shape; "" if there is none.
func errorText(body []byte) string {
	var wrapped struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  json.RawMessage `json:"detail"`
	}
	if json.Unmarshal(body, &wrapped) != nil {
		return ""
	}
	var inner struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(wrapped.Error, &inner) == nil && inner.Message != "" {
		return inner.Message
	}
	for _, raw := range []json.RawMessage{wrapped.Error, wrapped.Detail} {
		var text string
		if json.Unmarshal(raw, &text) == nil && text != "" {
			return text
		}
	}
	return wrapped.Message
}

func orText(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// clip bounds a text that came from outside, without splitting a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
