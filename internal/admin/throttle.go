package admin

import (
	"time"

	"github.com/brownout-dev/brownout/internal/event"
)

// ThrottleRequest makes every engine step on a device take longer, as a clock held down by heat or by
// a power cap does.
type ThrottleRequest struct {
	ID     string        `json:"id"`                     // caller's; the same id twice is the same throttle
	Factor float64       `json:"factor"`                 // > 1: a step takes so many times as long
	Jitter float64       `json:"jitter_share,omitempty"` // 0…1 of what the step takes longer, ±, drawn for every step
	Seed   uint64        `json:"seed,omitempty"`         // of the draws
	Ramp   time.Duration `json:"ramp_ns,omitempty"`      // grows linearly to the full factor
	TTL    time.Duration `json:"ttl_ns"`                 // > 0: the server lets go by itself
}

// Throttle is a device's clock held down.
type Throttle struct {
	ID      string     `json:"id"`
	Factor  float64    `json:"factor"` // now, before jitter
	Target  float64    `json:"target_factor"`
	Jitter  float64    `json:"jitter_share,omitempty"`
	Expires event.Time `json:"expires_ns"`
	Gone    bool       `json:"gone,omitempty"`
}
