package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/brownout-dev/brownout/scenarios/load"
)

// progress shows a run on its way: one line that rewrites itself on a terminal, a line every five
// seconds elsewhere.
type progress struct {
	out   *os.File
	tty   bool
	quiet bool

	mu   sync.Mutex
	of   string // the trial: "3/10 none "
	last time.Duration
	open bool // an unfinished line is on the terminal
}

func newProgress(out *os.File, quiet bool) *progress {
	return &progress{out: out, tty: isTTY(out), quiet: quiet, last: -time.Hour}
}

// say announces a step that takes time.
func (p *progress) say(what string) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
	fmt.Fprintln(p.out, what+" …")
}

// trial announces one of several runs; its lines carry its number.
func (p *progress) trial(number, of int, variant string) {
	p.say(fmt.Sprintf("trial %d of %d, variant %s", number, of, variant))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.of = fmt.Sprintf("%d/%d %s ", number, of, first(variant, 16))
}

func (p *progress) update(l load.Progress) {
	if p.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.tty {
		if l.At >= p.last && l.At-p.last < 5*time.Second { // earlier than before: another run
			return
		}
		p.last = l.At
		fmt.Fprintln(p.out, p.of+line(l))
		return
	}
	p.wipe()
	fmt.Fprint(p.out, p.of+line(l))
	p.open = true
}

// clear ends the rewriting line.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
}

func (p *progress) wipe() {
	if p.open {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.open = false
	}
}

// line is one state of the run in at most 100 columns:
// " 17 s/ 41 s  fault   130 req/s  p99 ttft 93 ms  0 bad of 2210  80 open  24 s left  ⚡ gpu.oom on gpu=n2/g1".
func line(l load.Progress) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%3.0f s/%3.0f s  %-7s %4.0f req/s  p99 ttft %-7s %d bad of %d  %d open",
		l.At.Seconds(), l.Total.Seconds(), l.Phase, l.Rate, fmtSeconds(l.TTFTP99), l.Bad, l.Due, l.InFlight)
	if left := l.Total - l.At; left > 0 {
		fmt.Fprintf(&b, "  %.0f s left", left.Seconds())
	}
	if l.Fault != "" {
		fmt.Fprintf(&b, "  fault: %s", first(l.Fault, 40))
	}
	if l.Error != "" {
		fmt.Fprintf(&b, "  last error: %s", first(l.Error, 60))
	}
	return b.String()
}

// first is the beginning of s, cut at n runes.
func first(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
