package calibrate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/openai"
	"github.com/brownout-dev/brownout/internal/pace"
	"github.com/brownout-dev/brownout/k6ext/client"
)

// known is a server in this process that answers what it was told to, when it was told to, and notes
// when it did.
type known struct {
	url   string
	http  *http.Server
	now   func() event.Time
	queue chan *stream // paced streams, in the order in which their next chunks are due
	ended chan struct{}
	open  sync.WaitGroup // the pacer, the acceptor and every connection

	mu       sync.Mutex
	expected map[string]*stream // by request id
}

// stream is one known answer.
type stream struct {
	chunks [][]byte // one token each
	tail   []byte   // finish reason, usage, [DONE]
	paced  bool
	sent   []event.Time // when each chunk was handed to the kernel; to be read once done is closed
	done   chan struct{}

	due   time.Time // of the next chunk; only the handler, then only the pacer
	w     http.ResponseWriter
	flush *http.ResponseController
}

// startKnown listens and serves until stop.
func startKnown(c Config) (*known, error) {
	l := c.listen
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
			return nil, err
		}
	}
	k := &known{url: "http://" + l.Addr().String(), now: c.stamp, expected: map[string]*stream{},
		queue: make(chan *stream, maxStreams), ended: make(chan struct{})}
	k.http = &http.Server{Handler: k, ReadHeaderTimeout: c.within, ConnState: func(_ net.Conn, s http.ConnState) {
		switch s {
		case http.StateNew:
			k.open.Add(1)
		case http.StateClosed, http.StateHijacked:
			k.open.Done()
		case http.StateActive, http.StateIdle:
		}
	}}
	k.open.Go(func() { _ = k.http.Serve(l) }) // ends with ErrServerClosed on stop
	k.open.Go(func() { k.pace(c.waiter()) })
	return k, nil
}

// maxStreams is more than the paced part ever has open: a place in the queue is always free.
const maxStreams = 4 * maxConcurrent

// stop ends everything and waits until it is gone. Streams that are still open break.
func (k *known) stop() {
	close(k.ended)
	_ = k.http.Close() // it reports the listener's error, which is closed already
	k.open.Wait()
}

// expect prepares the answer to req: all tokens it asks for, one a chunk.
func (k *known) expect(req *client.Request, model string, paced bool) *stream {
	s := &stream{chunks: make([][]byte, req.Output), sent: make([]event.Time, 0, req.Output), done: make(chan struct{}), paced: paced}
	name, _ := json.Marshal(model) // a string always marshals
	head := `data: {"id":"` + req.ID + `","object":"chat.completion.chunk","created":1,"model":` + string(name) + `,"choices":[`
	for i := range s.chunks {
		// Tokens of synth text need no escaping.
		s.chunks[i] = []byte(head + `{"index":0,"delta":{"content":"` + req.Answer.Token(i) + `"},"finish_reason":null}]}` + "\n\n")
	}
	s.tail = []byte(head + `{"index":0,"delta":{},"finish_reason":"length"}]}` + "\n\n" +
		head + `],"usage":{"prompt_tokens":` + strconv.Itoa(req.Prompt) + `,"completion_tokens":` + strconv.Itoa(req.Output) +
		`,"total_tokens":` + strconv.Itoa(req.Prompt+req.Output) + "}}\n\ndata: [DONE]\n\n")
	k.mu.Lock()
	defer k.mu.Unlock()
	k.expected[req.ID] = s
	return s
}

func (k *known) take(id string) *stream {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.expected[id]
	delete(k.expected, id)
	return s
}

// ServeHTTP answers one expected request.
func (k *known) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := k.take(r.Header.Get(openai.HeaderRequestID))
	if s == nil {
		http.Error(w, "nobody expected this request", http.StatusNotFound)
		return
	}
	_, err := io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "text/event-stream")
	s.w, s.flush, s.due = w, http.NewResponseController(w), time.Now().Add(gap)
	if err == nil && s.paced {
		k.queue <- s
		<-s.done // the pacer's doing; w may not be used after this returns
		return
	}
	for err == nil && len(s.sent) < len(s.chunks) {
		err = s.write(k.now())
	}
	close(s.done)
}

// pace writes paced streams' chunks when they are due. Every stream waits gap before each chunk, so
// whoever was queued first is due first, and a channel keeps the order.
func (k *known) pace(w pace.Waiter) {
	runtime.LockOSThread() // the pacing thread stays warm in nanosleep
	defer runtime.UnlockOSThread()
	for {
		select {
		case s := <-k.queue:
			if !w.Until(s.due, k.ended) || s.write(k.now()) != nil || len(s.sent) == len(s.chunks) {
				close(s.done)
				continue
			}
			s.due = s.due.Add(gap)
			k.queue <- s
		case <-k.ended:
			k.release()
			return
		}
	}
}

// release lets the handlers of streams that are still queued end.
func (k *known) release() {
	for {
		select {
		case s := <-k.queue:
			close(s.done)
		default:
			return
		}
	}
}

// write hands the next chunk to the kernel. now was taken just before, so the error that is found
// contains the write itself: it errs on the side of saying too much.
func (s *stream) write(now event.Time) error {
	s.sent = append(s.sent, now)
	n := len(s.sent)
	_, err := s.w.Write(s.chunks[n-1])
	if err == nil {
		err = s.flush.Flush()
	}
	if err == nil && n == len(s.chunks) {
		_, err = s.w.Write(s.tail) // sent when the handler returns
	}
	return err
}

var errOpen = errors.New("the known streams were not over in time; give the load generator more cores")
