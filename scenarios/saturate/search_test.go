package saturate

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func bounds() Config { return Config{From: 10, Max: 1e5, Probes: 24, Time: time.Hour} }

// oracle answers for a true knee, differently each time.
type oracle struct {
	knee, noise, lapse, unknown float64
	random                      *rand.Rand
}

func (t oracle) probe(rate float64) Probe {
	p := Probe{Rate: rate, Verdict: slo.Fail}
	switch {
	case t.random.Float64() < t.unknown:
		return Probe{Rate: rate, Verdict: slo.Unknown, Word: "client-limited"}
	case t.random.Float64() < t.lapse:
		if t.random.Float64() < 0.5 {
			p.Verdict = slo.Pass
		}
	case rate <= t.knee*math.Exp(t.noise*t.random.NormFloat64()):
		p.Verdict = slo.Pass
	}
	return p
}

// search runs to its end in virtual time; every probe takes 20 s.
func search(t *testing.T, c Config, ask func(float64) Probe) (Decision, []Probe) {
	t.Helper()
	var done []Probe
	for {
		d := c.Next(done, time.Duration(len(done))*20*time.Second)
		if d.Done {
			return d, done
		}
		require.Less(t, len(done), c.Probes, "bounded")
		require.Greater(t, d.Next, 0.0)
		require.LessOrEqual(t, d.Next, c.Max)
		done = append(done, ask(d.Next))
	}
}

// The property: whatever the knee and the noise, the interval holds the knee at least 95 times in 100.
func TestIntervalHoldsTheTrueKnee(t *testing.T) {
	const searches = 40
	for _, noise := range []float64{0, 0.02, 0.05} {
		for _, lapse := range []float64{0, 0.03} {
			held, probes, close10 := 0, 0, 0
			for i := range searches {
				r := rand.New(rand.NewPCG(uint64(i), 7))
				truth := oracle{knee: math.Exp(r.Float64()*math.Log(3000/0.5)) * 0.5, noise: noise, lapse: lapse, unknown: 0.02, random: r}
				d, done := search(t, bounds(), truth.probe)
				probes += len(done)
				low, high := d.Low, d.High
				if high == 0 {
					high = math.Inf(1)
				}
				if low <= truth.knee && truth.knee <= high {
					held++
				}
				if math.Abs(d.Best/truth.knee-1) < 0.1 {
					close10++
				}
			}
			t.Logf("noise %.2f, lapse %.2f: held %.1f %%, within 10 %%: %.1f %%, %.1f probes", noise, lapse,
				100*float64(held)/searches, 100*float64(close10)/searches, float64(probes)/searches)
			assert.GreaterOrEqual(t, held, searches*95/100, "noise %v lapse %v", noise, lapse)
		}
	}
}

func TestEnds(t *testing.T) {
	answer := func(v func(rate float64) slo.Verdict) func(float64) Probe {
		return func(rate float64) Probe { return Probe{Rate: rate, Verdict: v(rate), Word: "client-limited"} }
	}
	for _, tc := range []struct {
		name      string
		config    Config
		answer    func(rate float64) slo.Verdict
		status    Status
		low, high float64
		most      int // probes
		why       string
	}{
		{"the maximum holds", Config{From: 10, Max: 100, Probes: 24, Time: time.Hour},
			func(float64) slo.Verdict { return slo.Pass }, AtLeast, 100, 0, 5, "highest rate allowed"},
		{"nothing holds", bounds(), func(float64) slo.Verdict { return slo.Fail }, AtMost, 0, 0.1, 12, "no rate down to"},
		{"nothing can be judged", bounds(), func(float64) slo.Verdict { return slo.Unknown }, Nothing, 0, 0, 3, "client-limited"},
		{"the load generator is the limit", bounds(), func(rate float64) slo.Verdict {
			if rate > 100 {
				return slo.Unknown
			}
			return slo.Pass
		}, AtLeast, 90, 0, 20, "client-limited"},
		{"probes run out", Config{From: 10, Max: 1e5, Probes: 6, Time: time.Hour}, func(rate float64) slo.Verdict {
			if rate > 100 {
				return slo.Fail
			}
			return slo.Pass
		}, Unfinished, 80, 160, 6, "6 probes"},
		{"time runs out", Config{From: 10, Max: 1e5, Probes: 24, Time: 110 * time.Second}, func(rate float64) slo.Verdict {
			if rate > 100 {
				return slo.Fail
			}
			return slo.Pass
		}, Unfinished, 80, 160, 6, "1m50s"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, done := search(t, tc.config, answer(tc.answer))
			assert.Equal(t, tc.status, d.Status, d.Why)
			assert.Contains(t, d.Why, tc.why)
			assert.LessOrEqual(t, len(done), tc.most)
			if tc.status == Unfinished {
				assert.LessOrEqual(t, d.Low, 100.0)
				assert.GreaterOrEqual(t, d.High, 100.0)
				return
			}
			assert.InEpsilon(t, 1+tc.low, 1+d.Low, 0.1)
			assert.InEpsilon(t, 1+tc.high, 1+d.High, 0.1)
		})
	}
}

// A fail below an earlier pass makes the interval wider than it would be without, and draws a probe to itself.
func TestContradictionIsTestedAgain(t *testing.T) {
	agree := []Probe{{Rate: 80, Verdict: slo.Pass}, {Rate: 160, Verdict: slo.Fail}, {Rate: 110, Verdict: slo.Pass}, {Rate: 130, Verdict: slo.Fail}}
	clash := append([]Probe{}, agree...)
	clash = append(clash, Probe{Rate: 100, Verdict: slo.Fail})
	a, b := bounds().Next(agree, 0), bounds().Next(clash, 0)
	assert.Greater(t, b.High/b.Low, a.High/a.Low)
	assert.Less(t, b.Next, 115.0)
	assert.Greater(t, b.Next, 95.0)
}
