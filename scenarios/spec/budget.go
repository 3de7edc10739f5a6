package spec

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
)

// days is a length of time that may also be written in days: "30d".
type days time.Duration

const (
	day        = 24 * time.Hour
	minBudget  = time.Hour
	maxBudget  = 366 * day
	budgetMend = "write for example 30d (1h to 366d)"
	maxTarget  = 0.999999 // one request in a million: what is beyond says nothing in a run of minutes
)

// UnmarshalText reads whole days, or what a yamlx.Duration reads.
func (d *days) UnmarshalText(text []byte) error {
	if digits, isDays := strings.CutSuffix(string(text), "d"); isDays {
		n, err := strconv.ParseUint(digits, 10, 16)
		if err != nil {
			return yamlx.Wrong{What: fmt.Sprintf("%.80q is not a number of days", text), Mend: budgetMend}
		}
		*d = days(time.Duration(n) * day)
		return nil
	}
	var plain yamlx.Duration
	if err := plain.UnmarshalText(text); err != nil {
		return yamlx.Wrong{What: fmt.Sprintf("%.80q is not a length of time", text), Mend: budgetMend}
	}
	*d = days(plain)
	return nil
}

func (c *checker) budget(b slo.Budget) {
	if b.Target <= 0 || b.Target > maxTarget {
		c.wrong("slo.budget.target", fmt.Sprintf("%s leaves no budget that could be weighed", yamlx.Share(b.Target)), "write for example 99.9%")
	}
	if b.Window < minBudget || b.Window > maxBudget {
		c.wrong("slo.budget.window", "the window is out of bounds", budgetMend)
	}
}

// inDays is a window as one writes it: "30d", "12h".
func inDays(d time.Duration) string {
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return short(d)
}
