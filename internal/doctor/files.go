package doctor

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// spare is how many open files a process needs beside its requests.
const spare = 100

// openFiles compares the limit with one file a request in flight, in the load generator and in the server alike.
func (m *Machine) openFiles() Finding {
	text, ok := m.text("proc/self/limits")
	if !ok {
		return unknown("files", "open files")
	}
	soft, hard := 0.0, 0.0
	for line := range strings.Lines(text) {
		if rest, ours := strings.CutPrefix(line, "Max open files"); ours {
			if w := strings.Fields(rest); len(w) >= 2 {
				soft, hard = limit(w[0]), limit(w[1])
			}
		}
	}
	if soft == 0 {
		return unknown("files", "open files")
	}
	f := Finding{Group: "files", Name: "open files", Level: OK, Found: fmt.Sprintf("limit %s, at most %s", count(soft), count(hard))}
	usable := max(soft, hard) - spare // a Go program raises its own limit to the hard one
	need := float64(m.Needs.InFlight)
	if rate := usable / max(1, m.Needs.Stay.Seconds()); rate < 1e5 {
		f.Limit = math.Round(rate)
	}
	switch {
	case usable < m.Needs.Rate*m.Needs.Stay.Seconds():
		f.Level, f.Advice = Bad, fmt.Sprintf("%s may have %.0f requests open; raise the limit: ulimit -Hn %.0f, or LimitNOFILE= of the service", m.Needs.who(), m.Needs.Rate*m.Needs.Stay.Seconds(), need+spare)
	case usable < need:
		f.Level, f.Advice = Warn, fmt.Sprintf("%s may have up to %.0f requests open when the target hangs; raise the limit: ulimit -Hn %.0f", m.Needs.who(), need, need+spare)
	}
	return f
}

func limit(word string) float64 {
	if word == "unlimited" {
		return math.MaxInt32
	}
	n, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return 0
	}
	return n
}

func count(v float64) string {
	if v >= math.MaxInt32 {
		return "unlimited"
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
