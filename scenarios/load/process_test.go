package load

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func gammaPlan(rate, cv float64) Plan {
	p := plan(Gamma, rate)
	p.Arrivals.CV = cv
	return p
}

func onOffPlan(rate float64, on, off time.Duration, floor float64) Plan {
	p := plan(OnOff, rate)
	p.Arrivals.On, p.Arrivals.Off, p.Arrivals.Floor = on, off, floor
	return p
}

func closedPlan(users int) Plan {
	p := plan(Closed, 0)
	p.Arrivals.Concurrency, p.MaxInFlight = users, users
	return p
}

// staged is a ramp, a step, a pause, and a spike across the step.
func staged(p Plan) Plan {
	p.Arrivals.Stages = []Stage{{20 * time.Second, 3 * p.Arrivals.Rate}, {0, p.Arrivals.Rate / 2}, {30 * time.Second, 0}, {10 * time.Second, 0}, {0, 100}}
	p.Arrivals.Spikes = []Spike{{15 * time.Second, 10 * time.Second, 200}}
	return p
}

// everyProcess is one plan of each, all with 100 s of arrivals.
func everyProcess() []Plan {
	long := plan(Replay, 0)
	long.Arrivals.Trace = &TraceFile{Jitter: 50 * time.Millisecond}
	t := &trace{format: FormatMooncake}
	t.exact = t
	for i := range 3000 {
		t.rows = append(t.rows, traceRow{due: time.Duration(i/3) * 100 * time.Millisecond, prompt: int32(5 + i%2000), output: int32(1 + i%90), blocks: []uint64{uint64(i % 7), uint64(i)}})
	}
	long.setTrace(t)
	return []Plan{plan(Constant, 33), plan(Poisson, 300), gammaPlan(80, 2.5), onOffPlan(100, time.Second, 2*time.Second, 0),
		onOffPlan(100, 700*time.Millisecond, 300*time.Millisecond, 20), staged(plan(Poisson, 40)), staged(plan(Constant, 40)),
		staged(gammaPlan(40, 0.4)), staged(onOffPlan(40, time.Second, time.Second, 0)), long, closedPlan(30)}
}

// gammaCDF is the regularised lower incomplete gamma function: its power series (DLMF 8.7.1), summed
// until nothing changes. Slow, and good for the shapes below.
func gammaCDF(shape, x float64) float64 {
	if x <= 0 {
		return 0
	}
	lg, _ := math.Lgamma(shape + 1)
	term, sum := 1.0, 1.0
	for n := 1.0; term > sum*1e-16; n++ {
		term *= x / (shape + n)
		sum += term
	}
	return sum * math.Exp(shape*math.Log(x)-x-lg)
}

// distance is the Kolmogorov-Smirnov distance of x from a distribution.
func distance(x []float64, cdf func(float64) float64) (d float64) {
	sorted := slices.Sorted(slices.Values(x))
	n := float64(len(sorted))
	for i, v := range sorted {
		f := cdf(v)
		d = max(d, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	return d
}

// atMost is the distance that one sample in a thousand exceeds (Kolmogorov's limit).
func atMost(n int) float64 { return 1.95 / math.Sqrt(float64(n)) }

func TestGammaCDF(t *testing.T) {
	for _, x := range []float64{0.01, 0.5, 1, 3, 9} {
		assert.InDelta(t, 1-math.Exp(-x), gammaCDF(1, x), 1e-12, "shape 1 is the exponential")
		assert.InDelta(t, math.Erf(math.Sqrt(x)), gammaCDF(0.5, x), 1e-12, "shape 1/2 is half of chi squared")
	}
}

func TestGammaIsGamma(t *testing.T) {
	for _, rate := range []float64{5, 60, 400} {
		for _, cv := range []float64{0.2, 0.7, 1, 2.5} {
			p := gammaPlan(rate, cv)
			x := gaps(p)
			n := math.Sqrt(float64(len(x)))
			mean, got := meanAndCV(x)
			shape := 1 / (cv * cv)
			assert.InDelta(t, 1/rate, mean, 4*cv/rate/n, "rate %v cv %v", rate, cv)
			// Standard error of a sample's CV by the delta method, the gamma's kurtosis being 3 + 6 cv².
			assert.InDelta(t, cv, got, 5*cv*math.Sqrt((2+6*cv*cv)/4+cv*cv)/n, "rate %v cv %v", rate, cv)
			// The draws themselves: at 400/s and cv 2.5, one gap in fourteen is shorter than a nanosecond.
			gap, drawn := p.gaps(), make([]float64, len(x))
			for i := range drawn {
				drawn[i] = gap(uint64(i))
			}
			cdf := func(v float64) float64 { return gammaCDF(shape, v*shape) }
			assert.Less(t, distance(drawn, cdf), atMost(len(x)), "rate %v cv %v", rate, cv)
			if cv != 1 && rate > 5 {
				assert.Greater(t, ks(x, rate), atMost(len(x)), "negative control: cv %v is not exponential", cv)
			}
		}
	}
	assert.Greater(t, distance(gaps(plan(Poisson, 60)), func(v float64) float64 { return gammaCDF(0.5, v*30) }), 0.05,
		"negative control: Poisson gaps are no gamma of shape 1/2")
}

// The gaps of an interrupted Poisson process are independent and hyperexponential (Kuczura 1973).
func TestOnOffIsAnInterruptedPoissonProcess(t *testing.T) {
	for _, tc := range []struct {
		rate    float64
		on, off time.Duration
	}{{200, 200 * time.Millisecond, 300 * time.Millisecond}, {100, 50 * time.Millisecond, 20 * time.Millisecond}, {500, time.Second, 100 * time.Millisecond}} {
		p := onOffPlan(tc.rate, tc.on, tc.off, 0)
		p.Duration = 400 * time.Second
		x := gaps(p)[1:] // the first is a residual
		w1, w2 := 1/tc.on.Seconds(), 1/tc.off.Seconds()
		burst := tc.rate * (w1 + w2) / w2
		n := math.Sqrt(float64(len(x)))
		mean, cv := meanAndCV(x)
		want := math.Sqrt(1 + 2*burst*w1/((w1+w2)*(w1+w2)))
		assert.InDelta(t, 1/tc.rate, mean, 4*want/tc.rate/n, "%v", tc)
		assert.InEpsilon(t, want, cv, 0.08, "%v", tc)
		root := math.Sqrt((burst+w1+w2)*(burst+w1+w2) - 4*burst*w2)
		u1, u2 := (burst+w1+w2+root)/2, (burst+w1+w2-root)/2
		share := (burst - u2) / (u1 - u2)
		cdf := func(v float64) float64 { return 1 - share*math.Exp(-u1*v) - (1-share)*math.Exp(-u2*v) }
		assert.Less(t, distance(x, cdf), atMost(len(x)), "%v", tc)
		assert.Greater(t, ks(x, tc.rate), 3*atMost(len(x)), "negative control: not Poisson")
	}
}

func TestOnOffKeepsItsFloorAndItsMean(t *testing.T) {
	p := onOffPlan(200, 500*time.Millisecond, 1500*time.Millisecond, 50)
	p.Duration = 2000 * time.Second
	n, in, length := [2]float64{}, [2]float64{}, 0.0
	e := newEpisodes(p.Seed, &p.Arrivals)
	from := time.Duration(0)
	for a := range p.All() {
		for e.to <= a.Due {
			in[e.state] += (e.to - from).Seconds()
			from = e.to
			e.advance()
		}
		n[e.state]++
		length = a.Due.Seconds()
	}
	assert.InDelta(t, 0.25, in[0]/length, 0.02, "bursts last a quarter of the time")
	assert.InEpsilon(t, 50, n[1]/in[1], 0.02, "the floor")
	assert.InEpsilon(t, 650, n[0]/in[0], 0.02, "what the mean leaves for bursts: (200 − ¾·50)/¼")
	assert.InEpsilon(t, 200, (n[0]+n[1])/length, 0.08)
}

// Time zero must find as many plans in a burst as bursts last.
func TestOnOffBeginsStationary(t *testing.T) {
	on := 0
	for seed := range uint64(4000) {
		p := onOffPlan(100, 3*time.Second, 7*time.Second, 0)
		if newEpisodes(seed, &p.Arrivals).state == 0 {
			on++
		}
	}
	assert.InDelta(t, 0.3, float64(on)/4000, 0.03)
}

// rateAt is the rate of staged(plan at 40/s), written down by hand.
func rateAt(t float64) float64 {
	r := 100.0
	switch {
	case t < 20:
		r = 40 + 80*t/20
	case t < 50:
		r = 20 - 20*(t-20)/30
	case t < 60:
		r = 0
	}
	if t >= 15 && t < 25 {
		r += 200
	}
	return r
}

// integral is the dumb oracle of areas and of Expected: many small steps.
func integral(from, to float64) (sum float64) {
	const step = 1e-4
	for i := range int((to-from)/step + 0.5) {
		sum += step * rateAt(from+(float64(i)+0.5)*step)
	}
	return sum
}

func TestStagesHaveTheirRates(t *testing.T) {
	for _, p := range []Plan{staged(plan(Constant, 40)), staged(plan(Poisson, 40)), staged(gammaPlan(40, 0.5)), staged(onOffPlan(40, 20*time.Millisecond, 20*time.Millisecond, 0))} {
		edges := []float64{0, 5, 15, 20, 25, 40, 50, 60, 61, 100}
		counts := make([]float64, len(edges))
		for a := range p.All() {
			i, _ := slices.BinarySearch(edges, a.Due.Seconds()+1e-9)
			counts[i-1]++
		}
		for i, from := range edges[:len(edges)-1] {
			want := integral(from, edges[i+1])
			assert.InDelta(t, want, p.Expected(time.Duration(from*1e9), time.Duration(edges[i+1]*1e9)), 1e-3*want+1e-6)
			width := map[Process]float64{Constant: 0, Poisson: 1, Gamma: 0.5, OnOff: 4}[p.Arrivals.Process]
			assert.InDelta(t, want, counts[i], 4*width*math.Sqrt(want)+1.001, "%s from %v s", p.Arrivals.Process, from)
		}
		assert.InDelta(t, integral(0, 100)/100, p.MeanRate(), 1e-3)
		assert.Zero(t, counts[6], "nothing where the rate is zero")
	}
	p := staged(plan(Poisson, 40))
	assert.InDelta(t, 320, p.PeakRate(), 1e-9, "120/s at the end of the ramp and the spike")
	assert.InDelta(t, 2*120+200, staged(onOffPlan(40, time.Second, time.Second, 0)).PeakRate(), 1e-9)
}

// Under the clock of its own rate a staged process is the steady process again.
func TestTimeChangeKeepsTheProcess(t *testing.T) {
	warped := func(p Plan) (x []float64) {
		at, sum, last := 0.0, 0.0, 0.0
		for a := range p.All() {
			sum += integral(at, a.Due.Seconds())
			at += math.Round((a.Due.Seconds()-at)/1e-4) * 1e-4
			x = append(x, sum-last)
			last = sum
		}
		return x
	}
	exponential := func(v float64) float64 { return 1 - math.Exp(-v) }
	x := warped(staged(plan(Poisson, 40)))
	assert.Less(t, distance(x, exponential), atMost(len(x))+0.02, "the oracle's steps are 0.1 ms")
	y := warped(staged(gammaPlan(40, 0.3)))
	assert.Less(t, distance(y, func(v float64) float64 { return gammaCDF(1/0.09, v/0.09) }), atMost(len(y))+0.02)
	assert.Greater(t, distance(y, exponential), 0.2, "negative control")
	assert.Greater(t, ks(gaps(staged(plan(Poisson, 40))), 40), 0.05, "negative control: unchanged, its gaps are not exponential")
}

func TestStagesDoNotDrift(t *testing.T) {
	p := plan(Constant, 1000)
	p.Duration = 3 * time.Hour
	for range 500 {
		p.Arrivals.Stages = append(p.Arrivals.Stages, Stage{7 * time.Second, 900}, Stage{11 * time.Second, 1000})
	}
	n, last := 0, time.Duration(0)
	for due := range p.instants() {
		n, last = n+1, due
	}
	want := 500*18*950 + (3*3600-500*18)*1000.0
	assert.InDelta(t, want, float64(n), 1)
	assert.InDelta(t, p.Duration.Seconds()-1e-3, last.Seconds(), 1e-6, "the last of ten million is due when it should be")
}

// The plain path and the curve are the same process.
func TestSteadyEqualsACurveOfOnePiece(t *testing.T) {
	for _, process := range []Process{Constant, Poisson} {
		p := plan(process, 130)
		fast, slow := slices.Collect(p.steady()), slices.Collect(p.warped())
		require.Len(t, slow, len(fast))
		for i := range fast {
			require.InDelta(t, fast[i], slow[i], 50_000, "arrival %d of %s, in ns", i, process)
		}
	}
}

func TestNoProcessHasLumps(t *testing.T) {
	for _, p := range everyProcess() {
		if p.Arrivals.Process == Closed || p.Arrivals.Process == Constant {
			continue
		}
		edge, total := 0, 0
		for a := range p.All() {
			if a.Due%time.Second < time.Millisecond || a.Due%time.Second > 999*time.Millisecond {
				edge++
			}
			total++
		}
		assert.Less(t, float64(edge)/float64(total), 0.012, "%s: 0.2 %% are expected within 1 ms of a whole second", p.Arrivals.Process)
	}
	p := everyProcess()[9]
	p.trace = p.trace.exact
	edge := 0
	for a := range p.All() {
		if a.Due%time.Second < time.Millisecond {
			edge++
		}
	}
	assert.Equal(t, 300, edge, "negative control: batches that nobody spreads")
}

func TestEveryProcessIsOrderedAndTiles(t *testing.T) {
	third := []float64{0, 1.0 / 3, 2.0 / 3, 1}
	for _, p := range everyProcess() {
		whole := slices.Collect(p.All())
		require.NotEmpty(t, whole)
		last := time.Duration(0)
		for i, a := range whole {
			if a.Index != uint64(i) || a.Due < last || a.Due >= p.Duration {
				t.Fatalf("%s: %+v after %v", p.Arrivals.Process, a, last)
			}
			last = a.Due
		}
		var parts []Arrival
		for i := range 3 {
			part := slices.Collect(p.Of(Share{third[i], third[i+1]}))
			assert.InDelta(t, float64(len(whole))/3, float64(len(part)), 10)
			parts = append(parts, part...)
		}
		slices.SortFunc(parts, func(a, b Arrival) int { return int(a.Index) - int(b.Index) })
		assert.Equal(t, whole, parts, "%s", p.Arrivals.Process)
		q := p.WithSeed(p.Seed + 1)
		assert.NotEqual(t, whole, slices.Collect(q.All()), "%s: another seed is another load", p.Arrivals.Process)
		assert.Equal(t, whole, slices.Collect(q.WithSeed(p.Seed).All()))
	}
}

func TestClosedLoop(t *testing.T) {
	p := closedPlan(3)
	p.Arrivals.Think = 50 * time.Millisecond
	users, first := p.Users(), slices.Collect(p.All())
	require.Len(t, first, 3)
	seen := map[uint64]bool{}
	for _, a := range first {
		assert.Zero(t, a.Due)
		for i := range 5 {
			require.False(t, seen[a.Index])
			seen[a.Index] = true
			next, ok := users.Next(a, time.Second, i == 3)
			require.True(t, ok)
			want := 1050 * time.Millisecond
			if i == 3 {
				want = 1100 * time.Millisecond
			}
			assert.Equal(t, want, next.Due, "think, and a failed user waits longer")
			again, _ := users.Next(a, time.Second, i == 3)
			assert.Equal(t, next, again)
			assert.NotEqual(t, a.ID, next.ID)
			a = next
		}
	}
	_, ok := users.Next(first[0], p.Duration-50*time.Millisecond, false)
	assert.False(t, ok, "the plan is over by then")
	_, ok = users.Next(first[0], p.Duration-51*time.Millisecond, false)
	assert.True(t, ok)
	assert.Zero(t, p.MeanRate())
	assert.InDelta(t, 60, p.PeakRate(), 1e-9)
	assert.True(t, math.IsInf(closedPlan(3).PeakRate(), 1))
}

func TestValidateArrivals(t *testing.T) {
	for _, p := range everyProcess() {
		if p.Arrivals.Process != Replay {
			require.NoError(t, p.Validate())
		}
	}
	with := func(p Plan, change func(*Arrivals)) Plan {
		change(&p.Arrivals)
		return p
	}
	for want, p := range map[string]Plan{
		"process is \"bursty\"":               plan("bursty", 5),
		"rate is 0":                           plan(Poisson, 0),
		"rate is NaN":                         plan(OnOff, math.NaN()),
		"cv is 0:":                            gammaPlan(5, 0),
		"cv is NaN":                           gammaPlan(5, math.NaN()),
		"cv is given: process poisson":        with(plan(Poisson, 5), func(a *Arrivals) { a.CV = 1 }),
		"on is 0s":                            onOffPlan(5, 0, time.Second, 0),
		"off is 25h0m0s":                      onOffPlan(5, time.Second, 25*time.Hour, 0),
		"floor is 5":                          onOffPlan(5, time.Second, time.Second, 5),
		"on is given":                         with(plan(Gamma, 5), func(a *Arrivals) { a.On = 1 }),
		"stages[0].for is -1s":                with(plan(Poisson, 5), func(a *Arrivals) { a.Stages = []Stage{{-time.Second, 1}} }),
		"stages[1].to is +Inf":                with(plan(Poisson, 5), func(a *Arrivals) { a.Stages = []Stage{{0, 1}, {0, math.Inf(1)}} }),
		"spikes[0].for is 0s":                 with(plan(Poisson, 5), func(a *Arrivals) { a.Spikes = []Spike{{0, 0, 1}} }),
		"spikes[0].rate is 0":                 with(plan(Poisson, 5), func(a *Arrivals) { a.Spikes = []Spike{{0, 1, 0}} }),
		"spikes[0].at is -1ns":                with(plan(Poisson, 5), func(a *Arrivals) { a.Spikes = []Spike{{-1, 1, 1}} }),
		"at most 1000 of each":                with(plan(Poisson, 5), func(a *Arrivals) { a.Stages = make([]Stage, 1001) }),
		"concurrency is 0":                    closedPlan(0),
		"think is 2h0m0s":                     with(closedPlan(5), func(a *Arrivals) { a.Think = 2 * time.Hour }),
		"rate is 5: process closed":           with(closedPlan(5), func(a *Arrivals) { a.Rate = 5 }),
		"process trace has no rate that they": with(plan(Replay, 0), func(a *Arrivals) { a.Stages = make([]Stage, 1) }),
		"trace.file is empty":                 plan(Replay, 0),
		"trace.format is \"otel\"":            with(plan(Replay, 0), func(a *Arrivals) { a.Trace = &TraceFile{File: "x", Format: "otel"} }),
		"trace.speed is -1":                   with(plan(Replay, 0), func(a *Arrivals) { a.Trace = &TraceFile{File: "x", Speed: -1} }),
		"trace.from is -1ns":                  with(plan(Replay, 0), func(a *Arrivals) { a.Trace = &TraceFile{File: "x", From: -1} }),
		"trace.limit is -1":                   with(plan(Replay, 0), func(a *Arrivals) { a.Trace = &TraceFile{File: "x", Limit: -1} }),
		"trace.jitter is 2h0m0s":              with(plan(Replay, 0), func(a *Arrivals) { a.Trace = &TraceFile{File: "x", Jitter: 2 * time.Hour} }),
	} {
		require.ErrorContains(t, p.Validate(), want)
	}
	p := closedPlan(30)
	p.MaxInFlight = 29
	require.ErrorContains(t, p.Validate(), "max_in_flight is 29")
	p = plan(Poisson, 0)
	p.Arrivals.Stages = []Stage{{time.Second, 5}}
	assert.NoError(t, p.Validate(), "a ramp from nothing")
}

func TestFits(t *testing.T) {
	for _, f := range Fits() {
		got, ok := FitNamed(f.Name)
		require.True(t, ok)
		assert.Equal(t, f, got)
		p := plan(Poisson, 0)
		p.Arrivals, p.Prompt, p.Output = f.Arrivals, f.Prompt, f.Output
		if p.Arrivals.Rate == 0 {
			require.Error(t, p.Validate(), "no rate is published")
			p.Arrivals.Rate = 3
		}
		require.NoError(t, p.Validate(), f.Name)
		assert.NotEmpty(t, f.Source)
		assert.NotEmpty(t, f.Licence)
	}
	_, ok := FitNamed("azure")
	assert.False(t, ok)
	assert.IsIncreasing(t, FitNames())

	code, _ := FitNamed("azure-2023-code")
	p := plan(OnOff, 0)
	p.Arrivals, p.Duration = code.Arrivals, 24*time.Hour
	x := gaps(p)[1:]
	mean, cv := meanAndCV(x)
	assert.InEpsilon(t, 2.57, 1/mean, 0.1)
	assert.InEpsilon(t, 13.2, cv, 0.1)
	assert.InEpsilon(t, 10.5, p.PeakRate(), 0.01)

	conversation, _ := FitNamed("azure-2023-conversation")
	p = plan(Gamma, 0)
	p.Arrivals, p.Prompt, p.Output, p.Duration = conversation.Arrivals, conversation.Prompt, conversation.Output, 4*time.Hour
	var logs, prompts []float64
	for a := range p.All() {
		prompts = append(prompts, float64(a.Prompt))
		logs = append(logs, math.Log(float64(a.Output)))
	}
	slices.Sort(prompts)
	slices.Sort(logs)
	assert.InEpsilon(t, math.Exp(6.63), prompts[len(prompts)/2], 0.03)
	assert.InDelta(t, 4142, prompts[len(prompts)-1], 0, "cut at the published p99")
	assert.InDelta(t, 5.02, logs[len(logs)/2], 0.03)
	q := quantile(6909, 27367, 85400)
	assert.InDelta(t, 12_300, q.Mean, 100, "published: 12,035")
}

func BenchmarkProcesses(b *testing.B) {
	for _, p := range everyProcess() {
		if p.Arrivals.Process == Replay || p.Arrivals.Process == Closed || !p.Arrivals.steady() {
			continue
		}
		b.Run(string(p.Arrivals.Process), func(b *testing.B) {
			p.Arrivals.Rate, p.Duration = 1e5, MaxDuration
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				for range p.instants() {
					if n++; n%1000 == 0 {
						break
					}
				}
			}
		})
	}
}

// A spike is on top of bursts and pauses alike.
func TestSpikesIgnorePauses(t *testing.T) {
	for seed := range uint64(5) {
		p := onOffPlan(0.01, 2*time.Second, 6*time.Second, 0)
		p.Seed = seed
		p.Arrivals.Spikes = []Spike{{20 * time.Second, 10 * time.Second, 200}}
		assert.InDelta(t, 2000, len(slices.Collect(p.All())), 5*math.Sqrt(2000), "seed %d", seed)
	}
}
