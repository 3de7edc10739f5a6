package sim

import (
	"strconv"
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// noticeGap bounds how often one kind of event may be repeated: an engine short of memory refuses in
// every step, and the timeline needs the first refusal at once, not each of them.
const noticeGap = 100 * time.Millisecond

// notices emits the engine's events.
type notices struct {
	sink   event.Sink
	gpu    string // device id
	id     string // replica id
	recent map[event.Kind]*recent
}

type recent struct {
	at      event.Time
	skipped int // since at
}

func newNotices(sink event.Sink, device, id string) *notices {
	return &notices{sink: sink, gpu: device, id: id, recent: map[event.Kind]*recent{
		event.OOM: {}, event.Preempted: {}, event.Migrated: {},
	}}
}

// emit sends one event; attrs are pairs of name and value.
func (n *notices) emit(now event.Time, kind event.Kind, reason string, attrs ...string) {
	e := event.Event{At: now, Source: "engine", Kind: kind, Target: n.id, Reason: reason}
	if kind == event.OOM {
		e.Target = n.gpu
	}
	if len(attrs) > 0 {
		e.Attrs = make(map[string]string, len(attrs)/2)
		for i := 0; i+1 < len(attrs); i += 2 {
			e.Attrs[attrs[i]] = attrs[i+1]
		}
	}
	n.sink.Emit(e)
}

// often is emit for kinds that come in every step: the first at once, then at most one each noticeGap,
// saying how many were left out before it.
func (n *notices) often(now event.Time, kind event.Kind, reason string, attrs ...string) {
	r := n.recent[kind]
	if r.at != 0 && now.Sub(r.at) < noticeGap {
		r.skipped++
		return
	}
	if r.skipped > 0 {
		attrs = append(attrs, "left_out_before", strconv.Itoa(r.skipped))
	}
	r.at, r.skipped = now, 0
	n.emit(now, kind, reason, attrs...)
}
