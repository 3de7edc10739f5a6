package admin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// keepAlive is how often a silent event stream says that it lives.
const keepAlive = 15 * time.Second

// pageSize bounds how many events go out in one write.
const pageSize = 256

func (h *Handler) events(w http.ResponseWriter, r *http.Request) {
	since, err := sinceOf(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "since must be the number of an event")
		return
	}
	switch r.URL.Query().Get("follow") {
	case "", "true":
		h.follow(w, r, since)
	case "false":
		events, dropped, _ := h.deps.Events.Since(since)
		if events == nil {
			events = []event.Event{}
		}
		answer(w, http.StatusOK, admin.EventPage{Events: events, Dropped: dropped})
	default:
		refuse(w, http.StatusBadRequest, "follow must be true or false")
	}
}

// sinceOf is ?since, or where a reconnecting EventSource says it stopped.
func sinceOf(r *http.Request) (uint64, error) {
	given := r.URL.Query().Get("since")
	if given == "" {
		given = r.Header.Get("Last-Event-ID")
	}
	if given == "" {
		return 0, nil
	}
	return strconv.ParseUint(given, 10, 64)
}

// follow streams events until the client or the server goes. A follower slower than the log's
// size loses the oldest and sees it in the ids.
func (h *Handler) follow(w http.ResponseWriter, r *http.Request, since uint64) {
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	alive := time.NewTimer(keepAlive)
	defer alive.Stop()
	buf := []byte(": events\n\n")
	for {
		events, _, more := h.deps.Events.Since(since)
		for len(events) > 0 || len(buf) > 0 {
			page := events[:min(pageSize, len(events))]
			events = events[len(page):]
			for _, e := range page {
				buf = appendEvent(buf, e)
				since = e.Seq
			}
			_ = control.SetWriteDeadline(time.Now().Add(writeTime)) // only a recorder in a test has none
			if _, err := w.Write(buf); err != nil {
				return
			}
			if err := control.Flush(); err != nil {
				return
			}
			buf = buf[:0]
		}
		alive.Reset(keepAlive)
		select {
		case <-more:
		case <-alive.C:
			buf = append(buf, ": keep-alive\n\n"...)
		case <-r.Context().Done():
			return
		case <-h.deps.Done:
			return
		}
	}
}

func appendEvent(buf []byte, e event.Event) []byte {
	body, err := json.Marshal(e)
	if err != nil { // strings and numbers always marshal
		panic(err)
	}
	buf = append(buf, "id: "...)
	buf = strconv.AppendUint(buf, e.Seq, 10)
	buf = append(buf, "\ndata: "...)
	buf = append(buf, body...)
	return append(buf, "\n\n"...)
}
