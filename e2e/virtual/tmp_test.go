package virtual
import ("testing"; "math/rand/v2"; "os"; "fmt"; "strconv"
"github.com/brownout-dev/brownout/reports/compare"
"github.com/brownout-dev/brownout/reports/slo")
func TestTmp(t *testing.T) {
	if os.Getenv("TMPN") == "" { t.Skip() }
	n, _ := strconv.Atoi(os.Getenv("TMPN"))
	noise := 0.01
	for _, same := range []bool{true, false} {
	fl := map[float64]int{}; fo := map[float64]int{}
	fl3 := map[float64]int{}; fo3 := map[float64]int{}
	count := func(m map[float64]int, c compare.Comparison) {
		for _, al := range []float64{0.01, 0.02, 0.05} {
			for _, x := range c.Metrics {
				if x.P < al && x.Difference >= x.Effect && x.Name != "goodput" { m[al]++; break }
			}
		}
		_ = slo.Fail
	}
	for i := range uint64(n) {
		rng := rand.New(rand.NewPCG(i, 55))
		runs := func(name string, c int, sl float64) compare.Side {
			s := compare.Side{Name: name}
			for k := range uint64(c) {
				seed := 5000*(i+1)
				if !same { seed += rng.Uint64N(1<<40) }
				_ = k
				s.Trials = append(s.Trials, trial(t, seed, sl*(1+noise*rng.NormFloat64())))
			}
			return s
		}
		a, b, c := runs("a", 5, 1), runs("b", 3, 1), runs("c", 3, 1.1)
		one := func(s compare.Side) compare.Side { return compare.Side{Name: s.Name, Trials: s.Trials[:1]} }
		count(fl, compared(t, a, one(b))); count(fo, compared(t, a, one(c)))
		count(fl3, compared(t, a, b)); count(fo3, compared(t, a, c))
	}
	fmt.Println(same, n, "5v1 flagged", fl, "found", fo, "5v3 flagged", fl3, "found", fo3)
	}
}
