package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/brownout-dev/brownout/internal/synth"
)

// The lean server: it answers every POST with a stream of max_tokens chunks, one token each, a
// finish reason, usage and [DONE], as synth text. It costs as little as Go can do, so that on few
// cores the clients are what is busy.

// step is one engine iteration of the stepped listener: all streams get their next chunk together,
// as those of a real engine's batch do.
const step = 5 * time.Millisecond

// serve is the child "server": it prints the URLs of its two listeners, first the one that writes a
// whole answer at once, then the one that writes chunk by chunk. It answers every line of its
// standard input with the number of answers it has written, and ends with it.
func serve(ctx context.Context, _ []string) error {
	began := time.Now()
	var served atomic.Int64
	for _, stepped := range []bool{false, true} {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		fmt.Printf("http://%s\n", l.Addr())
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return // the listener was closed
				}
				go (&answerer{conn: conn, began: began, stepped: stepped, served: &served}).run()
			}
		}()
	}
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		fmt.Println(served.Load())
	}
	return asked.Err()
}

// answerer serves one connection.
type answerer struct {
	conn    net.Conn
	began   time.Time
	stepped bool
	served  *atomic.Int64
	body    []byte
	out     []byte
	ends    []int // of the writes of a stepped answer
}

func (a *answerer) run() {
	defer a.conn.Close()
	in := bufio.NewReader(a.conn)
	for {
		if err := a.read(in); err != nil {
			return // the client left
		}
		a.answer()
		if err := a.write(); err != nil {
			return
		}
		a.served.Add(1)
	}
}

// read takes one request.
func (a *answerer) read(in *bufio.Reader) error {
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	if length < 0 || length > 1<<20 {
		return errors.New("a request needs a content-length")
	}
	if cap(a.body) < length {
		a.body = make([]byte, length)
	}
	a.body = a.body[:length]
	_, err := io.ReadFull(in, a.body)
	return err
}

// answer writes the whole answer into out, with the ends of its parts.
func (a *answerer) answer() {
	tokens, _ := strconv.Atoi(a.after(`"max_tokens":`))
	seed, _ := strconv.ParseUint(a.after(`"seed":`), 10, 64)
	key := synth.AnswerKey(a.after(`"model":"`), a.after(`"content":"`), seed)
	a.out = append(a.out[:0], "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"...)
	a.ends = a.ends[:0]
	for i := range tokens {
		a.event(`{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[{"index":0,"delta":{"content":"`,
			key.Token(i), `"},"finish_reason":null}]}`)
		a.ends = append(a.ends, len(a.out))
	}
	a.event(`{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[{"index":0,"delta":{},"finish_reason":"length"}]}`)
	a.ends = append(a.ends, len(a.out))
	n := strconv.Itoa(tokens)
	a.event(`{"id":"chatcmpl-0123456789abcdef","object":"chat.completion.chunk","created":1753000000,"model":"m","choices":[],"usage":{"prompt_tokens":16,"completion_tokens":`,
		n, `,"total_tokens":`, strconv.Itoa(16+tokens), `}}`)
	a.event("[DONE]")
	a.out = append(a.out, "0\r\n\r\n"...)
	a.ends = append(a.ends, len(a.out))
}

// event appends one event as one HTTP chunk.
func (a *answerer) event(parts ...string) {
	size := len("data: \n\n")
	for _, p := range parts {
		size += len(p)
	}
	a.out = strconv.AppendInt(a.out, int64(size), 16)
	a.out = append(a.out, "\r\ndata: "...)
	for _, p := range parts {
		a.out = append(a.out, p...)
	}
	a.out = append(a.out, "\n\n\r\n"...)
}

// after is what follows mark in the request, up to the next quote, comma or brace.
func (a *answerer) after(mark string) string {
	_, rest, ok := bytes.Cut(a.body, []byte(mark))
	if !ok {
		return ""
	}
	if end := bytes.IndexAny(rest, `",}`); end >= 0 {
		rest = rest[:end]
	}
	return string(rest)
}

func (a *answerer) write() error {
	if !a.stepped {
		_, err := a.conn.Write(a.out)
		return err
	}
	from := 0
	for _, end := range a.ends {
		since := time.Since(a.began)
		time.Sleep(since.Truncate(step) + step - since)
		if _, err := a.conn.Write(a.out[from:end]); err != nil {
			return err
		}
		from = end
	}
	return nil
}
