package slo

import (
	"fmt"
	"time"
)

// Budget is the error budget a fault is weighed against: what an objective of Target over Window allows.
// It judges nothing; it says in an operator's currency what one such fault costs.
type Budget struct {
	Target float64       `json:"target"`    // share of good requests promised, below 1 [99.9 %]
	Window time.Duration `json:"window_ns"` // over so long [30 days]
}

// Burn is what one fault took from the budget, if it is the only one in the window and the load is as in
// this run all the while.
//
// By the Site Reliability Workbook (Beyer et al. 2018), chapter 5, "Alerting on SLOs": the budget is the
// share 1 − target of the window's requests; burn rate is the share of bad requests ÷ (1 − target); the
// part of the budget consumed is burn rate × time ÷ window, which is bad ÷ ((1 − target) · rate · window).
type Burn struct {
	Bad    int     `json:"bad"`              // requests that shared an instant with the fault and were not good
	Share  float64 `json:"share"`            // of the budget; above 1 the fault alone overspends it
	Rate   float64 `json:"burn_rate"`        // while the fault was felt; 1 spends exactly the budget in the window
	Outage float64 `json:"outage_s"`         // seconds without any service that cost as much
	Budget float64 `json:"outage_allowed_s"` // of which the budget allows so many
	SoFar  bool    `json:"so_far,omitempty"` // not recovered when we stopped looking: it burned more
	Of     Budget  `json:"of"`               //
	Load   float64 `json:"rate_per_s"`       // requests/s
}

// burn weighs a fault's bad requests; nil where there is nothing to weigh or no load to weigh it by.
func (j *judge) burn(r *Recovery) *Burn {
	b, rate := j.spec.Budget, j.in.Load.Rate
	if r.State == Unproven || rate <= 0 || b.Target >= 1 {
		return nil
	}
	bad := r.Lost + r.Late
	allowed := (1 - b.Target) * b.Window.Seconds()
	outage := float64(bad) / rate
	return &Burn{
		Bad: bad, Share: outage / allowed, Rate: share(bad, r.Touched) / (1 - b.Target),
		Outage: outage, Budget: allowed, SoFar: r.State == Censored, Of: b, Load: rate,
	}
}

// Sentence is the burn for the ear.
func (b *Burn) Sentence() string {
	of := fmt.Sprintf("the %s %s budget", days(b.Of.Window), percent(b.Of.Target))
	if b.Bad == 0 {
		return fmt.Sprintf("This fault burned nothing of %s.", of)
	}
	soFar := ""
	if b.SoFar {
		soFar = " before we stopped looking"
	}
	return fmt.Sprintf("This fault alone burned %s of %s%s: %s, as much as %s without any service where %s are allowed.",
		percent(b.Share), of, soFar, badRequests(b.Bad), duration(b.Outage), duration(b.Budget))
}

func badRequests(n int) string {
	if n == 1 {
		return "1 bad request"
	}
	return count(n) + " bad requests"
}

// days writes a window as an adjective: "30-day", "12-hour".
func days(d time.Duration) string {
	switch {
	case d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour))) + "-day"
	case d%time.Hour == 0:
		return count(int(d/time.Hour)) + "-hour"
	}
	return count(int(d.Round(time.Minute)/time.Minute)) + "-minute"
}
