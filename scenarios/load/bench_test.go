package load

import (
	"testing"
	"time"
)

// The longest lead-in that is accepted: what is drawn before the first request must not make it late.
func BenchmarkLeadIn(b *testing.B) {
	p := conversations(tokens(101), Think{Dist: Exponential, Mean: time.Second})
	p.Prompt, p.Output, p.Arrivals.Rate = tokens(16), tokens(16), 1200
	if err := p.Validate(); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for range p.All() {
			break
		}
	}
}
