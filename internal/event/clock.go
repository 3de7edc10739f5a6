package event

import (
	"crypto/rand"
	"encoding/hex"
	"time"
)

// Time is nanoseconds on one process's Clock. It reads like Unix time but is driven by
// the monotonic clock only: a wall clock stepped during a run does not move it.
// Times of two clocks may be compared only after an Offset was applied. Zero means "never".
type Time int64

// Add returns t shifted by d; never stays never.
func (t Time) Add(d time.Duration) Time {
	if t == 0 {
		return 0
	}
	return t + Time(d)
}

// Sub returns t − u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// Clock stamps what happens in this process.
type Clock struct {
	id    string
	base  time.Time // carries the monotonic reading
	epoch int64     // Unix nanoseconds at base
}

// NewClock starts a clock at the wall time of now, with a random identity.
func NewClock() *Clock {
	var b [6]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails since Go 1.24
	now := time.Now()
	return &Clock{id: hex.EncodeToString(b[:]), base: now, epoch: now.UnixNano()}
}

// ID names the clock: two Times are comparable without an Offset only if their ids agree.
func (c *Clock) ID() string { return c.id }

// Now is the present instant.
func (c *Clock) Now() Time { return Time(c.epoch + int64(time.Since(c.base))) }

// At maps a time.Time that carries a monotonic reading of this process.
func (c *Clock) At(t time.Time) Time { return Time(c.epoch + int64(t.Sub(c.base))) }

// Wall maps a Time of this clock back to a time.Time usable with time.Until.
func (c *Clock) Wall(t Time) time.Time { return c.base.Add(time.Duration(int64(t) - c.epoch)) }

// Reading is the body of GET …/clock: who answers, and its present instant.
type Reading struct {
	Clock string `json:"clock"`
	Now   Time   `json:"now_ns"`
}

// Read answers a clock probe.
func (c *Clock) Read() Reading { return Reading{Clock: c.id, Now: c.Now()} }
