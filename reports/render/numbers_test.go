package render

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/slo"
)

func TestSeconds(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0 s", 0.093: "93 ms", 2.1: "2.1 s", slo.Infinite: "∞ (failed)", 0.00042: "420 µs", 0.00006: "60 µs", 0.0034: "3.4 ms", 0.512: "512 ms",
		0.9996: "1.0 s", 0.99949: "999 ms", 9.96: "9.96 s", 12.43: "12.4 s", 105.3: "105 s", 119.6: "2 min 00 s", 200: "3 min 20 s",
		3600: "1 h 00 min", 3599: "1 h 00 min", -0.25: "−250 ms", 1e-9: "0.0010 µs", 1e300: "277777777 h 47 min",
	} {
		require.Equal(t, want, seconds(v), "%v", v)
	}
	require.Equal(t, none, seconds(math.NaN()))
	require.Equal(t, "+2.0 s", plus(2))
	require.Equal(t, "−57 ms", plus(-0.057))
	require.Equal(t, "500 ms", bare("500 ms"))
	require.Equal(t, "5 s", bare("5.0 s"))
	require.Equal(t, "2.04 s", bare("2.04 s"))
}

func TestShareNeverRoundsToAWhole(t *testing.T) {
	for v, want := range map[float64]string{
		1: "100 %", 0: "0 %", 0.994: "99.4 %", 0.9996: "99.96 %", 0.99999: "99.999 %", 0.0001: "0.01 %", 0.00001: "0.001 %", 0.5: "50.0 %", 0.9: "90.0 %", 1.2: "120.0 %",
	} {
		got := share(v)
		require.Equal(t, want, got, "%v", v)
	}
	require.Equal(t, none, share(math.NaN()))
	for _, v := range []float64{math.Nextafter(1, 0), math.SmallestNonzeroFloat64, 0.9999999} {
		require.NotContains(t, []string{"100 %", "0 %", "100.0 %", "0.0 %"}, share(v))
	}
}

func TestCounts(t *testing.T) {
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 4679: "4,679", 1234567: "1,234,567", -1: "-1", -999: "-999", -1000: "-1,000"} {
		require.Equal(t, want, count(n))
	}
	for v, want := range map[float64]string{129.6: "130", 8192.4: "8,192", 5: "5", 5.25: "5.2", 0: "0"} {
		require.Equal(t, want, rate(v))
	}
	require.Equal(t, "1 request", words(1, "request", "requests"))
	require.Equal(t, "2,000 requests", words(2000, "request", "requests"))
}

func TestGateNumbersCanBeToldApart(t *testing.T) {
	for _, c := range []struct {
		metric, op string
		got, value float64
		want       [2]string
	}{
		{"ttft", "<=", 0.212, 0.5, [2]string{"212 ms", "≤ 500 ms"}},
		{"ttft", "<=", 0.5004, 0.5, [2]string{"500.4 ms", "≤ 500.0 ms"}},
		{"ttft", "<=", 0.5, 0.5, [2]string{"500 ms", "≤ 500 ms"}},
		{"ttft", "<=", slo.Infinite, 0.5, [2]string{infinite, "≤ 500 ms"}},
		{"goodput", ">=", 0.98996, 0.99, [2]string{"98.996 %", "≥ 99.000 %"}},
		{"count", "==", 3, 0, [2]string{"3", "= 0"}},
		{"ttr", "<=", 16.268, 5, [2]string{"16.3 s", "≤ 5 s"}},
	} {
		got, limit := gateNumbers(slo.GateResult{Gate: slo.Gate{Metric: c.metric, Op: c.op, Value: c.value}, Got: c.got})
		require.Equal(t, c.want, [2]string{got, limit}, "%+v", c)
	}
	got, _ := gateNumbers(slo.GateResult{Missing: true})
	require.Equal(t, none, got)
	require.Equal(t, "count reset ≤ 3", gateText(slo.Gate{Metric: "count", Of: "reset", Op: "<=", Value: 3}))
}

func TestGuardNear(t *testing.T) {
	require.True(t, guardNear(slo.GuardResult{Got: 8, Limit: 10}))
	require.False(t, guardNear(slo.GuardResult{Got: 7.9, Limit: 10}))
	require.False(t, guardNear(slo.GuardResult{Got: 11, Limit: 10, Tripped: true}), "tripped is more than near")
	require.False(t, guardNear(slo.GuardResult{Got: 0, Limit: 0}))
}
