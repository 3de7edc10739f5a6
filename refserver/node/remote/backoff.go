package remote

import "time"

// backoff doubles the pause between attempts, from least to most, ± 50 % so that gateways do not
// knock in step. Not safe for concurrent use.
type backoff struct {
	least, most time.Duration
	next        time.Duration
}

// pause is how long to wait now; random is in [0, 1).
func (b *backoff) pause(random float64) time.Duration {
	b.next = min(max(b.next, b.least), b.most)
	d := time.Duration(float64(b.next) * (0.5 + random))
	b.next *= 2
	return min(d, b.most)
}

// reset begins anew after a success.
func (b *backoff) reset() { b.next = 0 }
