package render

import (
	"bytes"
	"html/template"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func TestChartGolden(t *testing.T) {
	r := result.Result{Seconds: 6, Start: zero}
	r.Spec.Objective = 0.9
	r.Judgement = slo.Judgement{WindowNS: time.Second,
		Phases:  []slo.PhaseResult{{Name: "before", For: 2 * time.Second}, {Name: "<fault>", At: 2 * time.Second, For: 4 * time.Second}},
		Series:  []slo.Second{{At: 0, Due: 10, Good: 10}, {At: 1, Due: 10, Good: 10}, {At: 2, Due: 10, Good: 4}, {At: 4, Due: 10, Good: 10}},
		Windows: []slo.Window{{At: 0, Due: 10, SLI: 1}, {At: time.Second, Due: 10, Bad: 6, SLI: 0.4, Out: true}, {At: 3 * time.Second, Due: 10, SLI: 1}},
		Faults: []slo.Recovery{{Fault: slo.Fault{Kind: "node.kill", Targets: []string{"n1"}, Armed: after(1.9), Effective: after(2), Cleared: after(4)},
			Impact: after(2.01), Detected: after(2.01), Recovered: after(3.1), State: slo.Recovered}}}
	tmpl, err := template.New("").Funcs(functions()).ParseFS(files, "page/chart.svg.tmpl")
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, tmpl.ExecuteTemplate(&b, "chart", newDrawer(r).timeline().Views[1]))
	golden(t, "timeline.svg", b.String())
}

func TestTicks(t *testing.T) {
	require.Equal(t, []float64{0, 5, 10}, ticks(0, 12, 5))
	require.False(t, math.Signbit(ticks(0, 1, 1)[0]), "no tick reads -0")
	require.Len(t, ticks(0, 1e9, 1), 100)
	for _, c := range []struct{ length, n, want float64 }{{1, 5, 0.2}, {0.2, 5, 0.05}, {150, 3, 50}, {6, 4, 2}, {0, 3, 1}, {math.Inf(1), 3, 1}} {
		require.InDelta(t, c.want, niceStep(c.length, int(c.n)), 1e-12)
	}
	require.InDelta(t, 5.0, timeStep(46, 10), 0)
	require.InDelta(t, 86400.0, timeStep(1e9, 10), 0)
	require.InDeltaSlice(t, []float64{0.01, 0.1, 1}, logTicks(0.008, 9), 1e-9)
	require.InDeltaSlice(t, []float64{0.1, 0.2, 0.5, 1}, logTicks(0.1, 1.1), 1e-9)
}

func TestLatencyScale(t *testing.T) {
	require.False(t, latencyScale([]float64{0.1, 0.5}, 100, 0).log)
	s := latencyScale([]float64{0.01, 5}, 100, 0)
	require.True(t, s.log)
	require.Greater(t, s.at(0.01), s.at(0.1))
	require.InDelta(t, s.at(0.01)-s.at(0.1), s.at(0.1)-s.at(1), 1e-9, "equal factors, equal distances")
	for _, v := range []float64{math.Inf(1), -1, 0, 1e9} {
		require.False(t, math.IsNaN(s.at(v)), "%v", v)
		require.GreaterOrEqual(t, s.at(v), 0.0)
		require.LessOrEqual(t, s.at(v), 100.0)
	}
	require.InDelta(t, 1.0, latencyScale(nil, 0, 1).hi, 0)
}

// Labels never overlap, and the line of one never runs through the text of another that reads to the right.
func TestStagger(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		labels := make([]label, 1+rnd.IntN(12))
		x := 10.0
		for i := range labels {
			x += float64(rnd.IntN(60))
			labels[i] = label{X: x, Text: "detected +1.2 s"[:4+rnd.IntN(11)]}
		}
		rows := stagger(labels, 1000)
		require.LessOrEqual(t, rows, len(labels))
		for i, a := range labels {
			for _, b := range labels[i+1:] {
				overlap := b.X < a.X+textWidth(a.Text)
				require.False(t, overlap && b.Row <= a.Row, "%+v %+v", a, b)
			}
		}
	}
	one := []label{{X: 990, Text: "recovered"}}
	stagger(one, 1000)
	require.True(t, one[0].Left, "near the edge a label reads to the left")
}

func TestPaths(t *testing.T) {
	x, y := scale{hi: 10, to: 100}, scale{hi: 1, from: 10, to: 0}
	nan := math.NaN()
	require.Equal(t, "M10 10L20 0", polyline([]point{{1, 0}, {2, 1}}, x, y))
	require.Equal(t, "M9 0h2M30 0L40 0", polyline([]point{{1, 1}, {2, nan}, {3, 1}, {4, 1}, {5, nan}}, x, y))
	require.Empty(t, polyline([]point{{1, nan}}, x, y))
	require.Equal(t, "M10 0H20V5H50", steps([]point{{1, 1}, {2, 0.5}}, 5, x, y, nil))
	require.Equal(t, "M10 10V0H20V5H50V10Z", steps([]point{{1, 1}, {2, 0.5}}, 5, x, y, new(10.0)))
	require.Empty(t, steps(nil, 5, x, y, nil))
}

func TestBucketsKeepSumsAndPeaks(t *testing.T) {
	var series []slo.Second
	for s := range 1000 {
		series = append(series, slo.Second{At: s, Due: 3, Good: 2, Bad: 1, Tokens: 5, TTFTP99: float64(s % 7)})
	}
	series = append(series, slo.Second{At: -1, Due: 99}, slo.Second{At: 5000, Due: 99})
	all := buckets(series, 1000)
	require.LessOrEqual(t, len(all), maxBuckets)
	sum := slo.Second{}
	for i, b := range all {
		require.Equal(t, i*b.Length, b.At)
		sum.Due, sum.Good, sum.Tokens = sum.Due+b.Due, sum.Good+b.Good, sum.Tokens+b.Tokens
		sum.TTFTP99 = max(sum.TTFTP99, b.TTFTP99)
	}
	require.Equal(t, slo.Second{Due: 3000, Good: 2000, Tokens: 5000, TTFTP99: 6}, sum)
	require.True(t, math.IsNaN(curve(buckets(nil, 3), func(b bucket) float64 { return b.TTFTP50 })[0].V), "no sample is a gap, not a zero")
}

func TestLanes(t *testing.T) {
	r := result.Result{Start: zero}
	for i, kind := range []event.Kind{"b.late", "a.early", "fault.armed"} {
		r.Events = append(r.Events, event.Event{At: after(5 - float64(i)), Kind: kind})
	}
	got := lanes(r, 1)
	require.Equal(t, []lane{{Kind: "a.early", Total: 1, Counts: map[int]int{4: 1}}, {Kind: "b.late", Total: 1, Counts: map[int]int{5: 1}}}, got)
	for i := range 30 {
		r.Events = append(r.Events, event.Event{At: after(10), Kind: event.Kind("x." + string(rune('a'+i)))})
	}
	got = lanes(r, 1)
	require.Len(t, got, maxLanes)
	require.Equal(t, event.Kind("other"), got[maxLanes-1].Kind)
	require.Equal(t, 32-(maxLanes-1), got[maxLanes-1].Total)
}

func TestFaultLanesNeverOverlap(t *testing.T) {
	r := result.Result{Start: zero, Seconds: 60}
	for i := range 20 {
		f := slo.Recovery{Fault: slo.Fault{Kind: "x"}}
		f.Effective, f.Cleared = after(float64(i)), after(float64(i+3))
		r.Judgement.Faults = append(r.Judgement.Faults, f)
	}
	d := newDrawer(r)
	lanes := d.faultLanes()
	require.Len(t, lanes, 3)
	for _, lane := range lanes {
		for i := range lane[1:] {
			require.LessOrEqual(t, lane[i].Cleared, lane[i+1].Effective)
		}
	}
}

func TestStampsTellTheStory(t *testing.T) {
	f := broken().Judgement.Faults[0]
	var told []string
	for _, s := range happened(stamps(f, zero)) {
		told = append(told, s.Word)
	}
	require.Equal(t, []string{"armed", "effective", "detected", "impact", "mitigated", "cleared", "recovered"}, told, "in the order they came")
	require.Empty(t, happened(stamps(slo.Recovery{}, zero)))

	f.Unresolved = []string{"ttd"}
	require.False(t, spans(f)[0].Resolved)
	require.True(t, spans(f)[1].Resolved)
	for want, f := range map[string]slo.Recovery{
		"Absorbed: ":                     {State: slo.Absorbed},
		"Recovered 2.0 s after":          {State: slo.Recovered, TTR: new(2.0)},
		"Not recovered in the 9.0 s":     {State: slo.Censored, Observed: 9},
		"Not recovered when the data":    {State: slo.Censored, Cut: true, Impact: 1},
		"No harm was seen, but the data": {State: slo.Censored, Cut: true},
		"Unproven: ":                     {State: slo.Unproven},
	} {
		require.Contains(t, ending(f), want)
	}
}

func TestTellingEventsComeFirst(t *testing.T) {
	var all []event.Event
	for i := range 300 {
		e := event.Event{Seq: uint64(i), Request: "r"}
		if i%100 == 99 {
			e.Request = ""
		}
		all = append(all, e)
	}
	got := telling(all, 10)
	require.Len(t, got, 10)
	require.Equal(t, []uint64{6, 99, 199, 299}, []uint64{got[6].Seq, got[7].Seq, got[8].Seq, got[9].Seq})
	require.Len(t, telling(all, 2), 2)
	require.Equal(t, all, telling(all, 1000))
}
