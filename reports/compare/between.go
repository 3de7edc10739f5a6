package compare

import (
	"math"
	"slices"

	"github.com/brownout-dev/brownout/reports/slo"
)

// leastNoise is the share of its value that a metric is taken to vary by from run to run (one standard
// deviation), even where the few runs at hand happen to agree better.
const leastNoise = 0.01

// leastFreedom is how many degrees of freedom the noise between runs needs: with one, a 95 % interval is
// 25 standard errors wide and says nothing.
const leastFreedom = 2

// between is what one number a run says: the difference of the sides and how exact it is.
type between struct {
	shift   float64
	sigma   float64 // standard deviation between runs of one side
	error   float64 // standard error of shift
	freedom float64
}

func (b between) known() bool { return b.freedom >= leastFreedom }

func (b between) p() float64 { return slo.StudentP(b.shift/b.error, b.freedom) }

func (b between) half(confidence float64) float64 {
	return slo.StudentQuantile(1-confidence, b.freedom) * b.error
}

// observation is one run's value.
type observation struct {
	value float64
	side  int
	seed  uint64
}

// betweenRuns fits value = side + seed by least squares where the sides share seeds (paired), value = side
// otherwise: a two-sample t-test, blocked by seed. Seeds that one side alone has tell the noise only. The
// standard deviation is never taken to be below least, which must be above 0.
func betweenRuns(all []observation, paired bool, least float64) between {
	type cell struct {
		n         [2]int
		sum       [2]float64
		sumSquare [2]float64
	}
	cells := map[uint64]*cell{}
	var order []uint64
	for _, o := range all {
		seed := o.seed
		if !paired {
			seed = 0
		}
		c := cells[seed]
		if c == nil {
			c = &cell{}
			cells[seed] = c
			order = append(order, seed)
		}
		c.n[o.side]++
		c.sum[o.side] += o.value
		c.sumSquare[o.side] += o.value * o.value
	}
	var b between
	weight, squares, both := 0.0, 0.0, 0
	for _, seed := range order {
		c := cells[seed]
		for s := range 2 {
			if c.n[s] > 0 {
				n := float64(c.n[s])
				squares += max(0, c.sumSquare[s]-c.sum[s]*c.sum[s]/n)
				b.freedom += n - 1
			}
		}
		if c.n[0] == 0 || c.n[1] == 0 {
			continue
		}
		na, nb := float64(c.n[0]), float64(c.n[1])
		w := na * nb / (na + nb)
		b.shift += w * (c.sum[1]/nb - c.sum[0]/na)
		weight += w
		both++
	}
	if both == 0 {
		return between{}
	}
	b.shift /= weight
	for _, seed := range order {
		if c := cells[seed]; c.n[0] > 0 && c.n[1] > 0 {
			na, nb := float64(c.n[0]), float64(c.n[1])
			d := c.sum[1]/nb - c.sum[0]/na - b.shift
			squares += na * nb / (na + nb) * d * d
		}
	}
	b.freedom += float64(both - 1)
	if b.freedom > 0 {
		b.sigma = math.Sqrt(squares / b.freedom)
	}
	b.sigma = max(b.sigma, least)
	b.error = b.sigma / math.Sqrt(weight)
	return b
}

// best is what the runs say by the design that says it most exactly.
type best struct {
	p     float64
	half  float64 // half width of the interval
	sigma float64
}

// betweenBest tries both designs, by seed and as two plain samples, and takes the sharper one. By seed the
// load's own noise drops out, but every seed costs a degree of freedom; which weighs more is in the data. The
// price of looking twice is paid (Bonferroni): p is doubled, and the interval is that of half the risk.
// known is false when neither design has enough runs.
func betweenBest(all []observation, least float64) (out best, known bool) {
	designs := []between{betweenRuns(all, false, least)}
	if blocked := betweenRuns(all, true, least); blocked.freedom != designs[0].freedom {
		designs = append(designs, blocked)
	} else if blocked.known() {
		designs[0] = blocked // all runs have one seed: the designs are the same
	}
	designs = slices.DeleteFunc(designs, func(b between) bool { return !b.known() })
	looks := float64(len(designs))
	for i, b := range designs {
		half := b.half(1 - (1-Confidence)/looks)
		if i == 0 || half < out.half {
			out.half, out.sigma = half, b.sigma
		}
		if p := min(1, looks*b.p()); i == 0 || p < out.p {
			out.p = p
		}
	}
	return out, len(designs) > 0
}

// observe takes one number of each run.
func (k kind) observe(runs []run, phases []string) []observation {
	p := newPlan(runs, phases, false, math.MaxInt)
	m := k.measure(p)
	var out []observation
	for i, r := range p.runs {
		times := p.choose(func(u unit) bool { return u.run == i })
		if v, ok := m.of(times); ok {
			out = append(out, observation{value: k.scaled(v), side: r.side, seed: r.Seed})
		}
	}
	return out
}
