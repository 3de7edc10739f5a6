package openai

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/refserver/engine"
)

// encoder writes the events of one stream into a buffer that is reused for every write. All events
// of a stream share id, object, created and model, so these are encoded once.
type encoder struct {
	buf  []byte
	head []byte // `data: {"id":…,"model":…,`
}

const (
	deltaStart = `"choices":[{"index":0,"delta":{"content":`
	deltaEnd   = `},"finish_reason":null}]}` + "\n\n"
)

func newEncoder(id, model string, created int64) *encoder {
	head := append([]byte(nil), `data: {"id":`...)
	head = appendString(head, id)
	head = append(head, `,"object":"chat.completion.chunk","created":`...)
	head = strconv.AppendInt(head, created, 10)
	head = append(head, `,"model":`...)
	head = appendString(head, model)
	head = append(head, ',')
	return &encoder{head: head, buf: make([]byte, 0, 1024)}
}

func (e *encoder) role() {
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}`...)
	e.buf = append(e.buf, "\n\n"...)
}

// content is the path of every token: it allocates nothing once the buffer has grown.
func (e *encoder) content(text string) {
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, deltaStart...)
	e.buf = appendString(e.buf, text)
	e.buf = append(e.buf, deltaEnd...)
}

func (e *encoder) finish(f engine.Finish) {
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, `"choices":[{"index":0,"delta":{},"finish_reason":`...)
	e.buf = appendString(e.buf, string(f))
	e.buf = append(e.buf, "}]}\n\n"...)
}

func (e *encoder) usage(prompt, completion int) {
	e.buf = append(e.buf, e.head...)
	e.buf = append(e.buf, `"choices":[],"usage":{"prompt_tokens":`...)
	e.buf = strconv.AppendInt(e.buf, int64(prompt), 10)
	e.buf = append(e.buf, `,"completion_tokens":`...)
	e.buf = strconv.AppendInt(e.buf, int64(completion), 10)
	e.buf = append(e.buf, `,"total_tokens":`...)
	e.buf = strconv.AppendInt(e.buf, int64(prompt+completion), 10)
	e.buf = append(e.buf, "}}\n\n"...)
}

func (e *encoder) done() { e.buf = append(e.buf, "data: [DONE]\n\n"...) }

func (e *encoder) keepAlive() { e.buf = append(e.buf, ": keep-alive\n\n"...) }

// fault is the explicit end of a stream that broke: an error, and no [DONE].
func (e *encoder) fault(d openai.ErrorDetail) {
	body, err := json.Marshal(openai.ErrorBody{Error: d})
	if err != nil { // a struct of strings always marshals
		panic(err)
	}
	e.buf = append(e.buf, "data: "...)
	e.buf = append(e.buf, body...)
	e.buf = append(e.buf, "\n\n"...)
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Bytes that are not UTF-8 become U+FFFD, as in encoding/json.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\r':
				dst = append(dst, '\\', 'r')
			case '\t':
				dst = append(dst, '\\', 't')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 {
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\ufffd"...)
			i++
			start = i
			continue
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
