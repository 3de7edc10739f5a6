package sim

import (
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

// Punctuality is what Steps counted over the last minute, in a form that travels and joins without
// loss: buckets that count nothing are left out.
type Punctuality struct {
	Total  uint64         `json:"total"` // steps since start
	Late   map[int]uint32 `json:"late,omitempty"`
	Length map[int]uint32 `json:"length,omitempty"`
}

// Collect joins the records of several engines.
func Collect(now event.Time, engines ...*Steps) Punctuality {
	var late, length histogram
	p := Punctuality{Late: map[int]uint32{}, Length: map[int]uint32{}}
	oldest := int64(now)/int64(stepsSlot) - stepsSlots
	for _, s := range engines {
		s.mu.Lock()
		p.Total += s.total
		for i := range s.minutes {
			if slot := &s.minutes[i]; slot.slot > oldest {
				late.join(&slot.late)
				length.join(&slot.length)
			}
		}
		s.mu.Unlock()
	}
	late.spread(p.Late)
	length.spread(p.Length)
	return p
}

// Summarise joins records of several nodes. Buckets that do not exist are left out.
func Summarise(records ...Punctuality) admin.Steps {
	var late, length histogram
	out := admin.Steps{}
	for _, p := range records {
		out.Steps += p.Total
		late.gather(p.Late)
		length.gather(p.Length)
	}
	if out.Known = late.count > 0; out.Known {
		out.LateP50, out.LateP99 = late.quantile(0.5).Seconds(), late.quantile(0.99).Seconds()
		out.StepP50 = length.quantile(0.5).Seconds()
	}
	return out
}

func (h *histogram) spread(into map[int]uint32) {
	for i, n := range h.buckets {
		if n > 0 {
			into[i] = n
		}
	}
}

func (h *histogram) gather(from map[int]uint32) {
	for i, n := range from {
		if i >= 0 && i < histogramBuckets {
			h.buckets[i] += n
			h.count += uint64(n)
		}
	}
}
