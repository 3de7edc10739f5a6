package agent

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/internal/event"
)

// Config of an Agent. Zero durations and counts mean the value in brackets.
type Config struct {
	Drivers     []faults.Driver // at least one; no two for the same kind
	JournalFile string          // append-only, created if missing
	StateDir    string          // what is needed to undo after a crash; one holder at a time
	Token       string          // of the HTTP API; never empty

	Clock *event.Clock // [a new one]; must be the clock of Sink
	Sink  event.Sink   // [none] gets every step as an event, Source "faults"
	Log   *slog.Logger // [none] gets what went wrong where nobody asked

	ProveEvery  time.Duration // [20 ms] between two looks at the target
	ProveWithin time.Duration // [2 s] for the proof, after the ramp; a request may say otherwise, up to MaxProveWithin
	GoneWithin  time.Duration // [5 s] for the proof that a fault is gone
	CallWithin  time.Duration // [10 s] for one call of a driver
	StopWithin  time.Duration // [20 s] for clearing everything when Run ends
	RetryAfter  time.Duration // [10 s] between attempts to clear what could not be cleared
	MaxRetries  int           // [5] of those
	MaxHeld     int           // [64] faults at the same time
}

// MaxProveWithin bounds what a request may ask for.
const MaxProveWithin = time.Minute

// withDefaults is a copy with every default filled in, or everything that is wrong with it.
func (c Config) withDefaults() (Config, error) {
	var wrong []string
	need := func(ok bool, text string) {
		if !ok {
			wrong = append(wrong, text)
		}
	}
	need(len(c.Drivers) > 0, "it has no driver, give it one")
	need(c.JournalFile != "", "it has no journal file, name one (every action is written down)")
	need(c.StateDir != "", "it has no state directory, name one (it must be able to undo after a crash)")
	need(c.Token != "", "it has no token, set one in its environment")
	need(c.ProveWithin <= MaxProveWithin, fmt.Sprintf("ProveWithin is %s, at most %s is possible", c.ProveWithin, MaxProveWithin))
	need(min(c.ProveEvery, c.ProveWithin, c.GoneWithin, c.CallWithin, c.StopWithin, c.RetryAfter) >= 0,
		"a duration of its configuration is negative")
	need(min(c.MaxHeld, c.MaxRetries) >= 0, "a count of its configuration is negative")
	if len(wrong) > 0 {
		return Config{}, errors.New("the fault holder cannot start: " + strings.Join(wrong, "; "))
	}
	if c.Clock == nil {
		c.Clock = event.NewClock()
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.ProveEvery = cmp.Or(c.ProveEvery, 20*time.Millisecond)
	c.ProveWithin = cmp.Or(c.ProveWithin, 2*time.Second)
	c.GoneWithin = cmp.Or(c.GoneWithin, 5*time.Second)
	c.CallWithin = cmp.Or(c.CallWithin, 10*time.Second)
	c.StopWithin = cmp.Or(c.StopWithin, 20*time.Second)
	c.RetryAfter = cmp.Or(c.RetryAfter, 10*time.Second)
	c.MaxRetries = cmp.Or(c.MaxRetries, 5)
	c.MaxHeld = cmp.Or(c.MaxHeld, 64)
	return c, nil
}
