package render

import (
	"fmt"

	"github.com/brownout-dev/brownout/reports/result"
)

// loadFact is when requests were sent, on one line.
func loadFact(l result.LoadInfo) string {
	if l.Concurrency > 0 {
		return fmt.Sprintf("closed loop of %s, %s requests/s delivered", words(l.Concurrency, "virtual user", "virtual users"), rate(l.Delivered))
	}
	process := l.Process
	if l.Trace != nil {
		process = fmt.Sprintf("%s %s (SHA-256 %.12s…)", process, l.Trace.File, l.Trace.SHA256)
	}
	planned := rate(l.Rate) + " requests/s planned" + written(l)
	if l.Peak > 0 {
		planned += fmt.Sprintf(" on average, %s at most", rate(l.Peak))
	}
	return fmt.Sprintf("%s, %s, %s delivered", process, planned, rate(l.Delivered))
}
