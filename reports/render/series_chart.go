package render

import (
	"fmt"
	"math"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// waits draws every time to recover as a point, a row a variant and fault; nil where users felt nothing.
// What did not recover points to the right; what was absorbed has no time, and is counted at the row.
func waits(s series.Series) *panel {
	var lanes []waitLane
	longest := 0.0
	for _, v := range s.Variants {
		for i := range v.Faults {
			l := waitLane{name: v.Name, recoveries: v.Faults[i]}
			if len(v.Faults) > 1 {
				l.name += ", " + v.Faults[i].Kind
			}
			for _, t := range v.Trials {
				if i < len(t.Faults) && t.Trusted && t.Faults[i].Felt && t.Faults[i].State != slo.Absorbed {
					l.points = append(l.points, t)
					l.waits = append(l.waits, t.Faults[i])
					longest = max(longest, t.Faults[i].Observed, value(t.Faults[i].TTR))
				}
			}
			lanes = append(lanes, l)
		}
	}
	if longest == 0 {
		return nil
	}
	p := &panel{ID: "waits", Title: "Time to recover, trial by trial", Note: "seconds from the first harm; absorbed trials have none"}
	for _, one := range screens() {
		p.Views = append(p.Views, *drawWaits(one, lanes, longest))
	}
	return p
}

type waitLane struct {
	name       string
	recoveries series.Recoveries
	points     []series.Trial
	waits      []series.Fault
}

func drawWaits(s screen, lanes []waitLane, longest float64) *chart {
	const lane, axis = 46.0, 24.0
	c := &chart{ID: "waits-" + s.Size, Size: s.Size, Title: "Time to recover, trial by trial", W: s.W, H: lane*float64(len(lanes)) + axis, L: s.Left, R: s.W - s.Right}
	step := niceStep(longest*1.04, s.TimeTicks-2)
	x := scale{lo: 0, hi: math.Ceil(longest*1.04/step) * step, from: 14, to: s.W - 14}
	for _, t := range ticks(0, x.hi, step) {
		c.line("grid", x.at(t), 0, x.at(t), lane*float64(len(lanes)))
		c.text("time", x.at(t), c.H-8, bare(seconds(t)))
	}
	for i, l := range lanes {
		top := lane * float64(i)
		if i%2 == 1 {
			c.rect("band", 0, top, s.W, lane, "")
		}
		note := fmt.Sprintf("%s: %d absorbed, %d recovered, %d not", l.name, l.recoveries.Absorbed, l.recoveries.Recovered, l.recoveries.Censored)
		c.Desc += note + ". "
		c.text("lane", 6, top+14, cut(clean(note), int(s.W/7)))
		for k, f := range l.waits {
			// Neighbours stand one above the other, so that equal times can be told apart.
			y := top + 24 + float64(k%4)*5
			tip := fmt.Sprintf("trial %d, seed %d: %s", l.points[k].Number, l.points[k].Seed, waited(f))
			if f.TTR != nil {
				c.circle("good", x.at(*f.TTR), y, 3.6, tip)
				continue
			}
			c.circle("bad", x.at(f.Observed), y, 3.6, tip)
			c.path("limit", fmt.Sprintf("M%.1f %.1fh12m-4 -3l4 3l-4 3", x.at(f.Observed)+4, y))
		}
	}
	return c
}
