package faults

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

func TestResolve(t *testing.T) {
	candidates := map[string][]string{
		"gpu":  {"n2/g1", "n1/g0", "n1/g1", "n2/g0", "n10/g0", "n10/g1"},
		"node": {"n1", "n2", "n10"},
	}
	for selector, want := range map[string]string{
		"gpu=n2/g1":         "n2/g1",
		"gpu=n2/*":          "n2/g0 n2/g1",
		"node=n1":           "n1/g0 n1/g1",
		"node=n1*,gpu=*/g0": "n1/g0 n10/g0",
		"gpu=n1/*,gpu=*/g1": "n1/g1",
		"gpu=*/g0":          "n1/g0 n10/g0 n2/g0",

		"gpu=*":                  "the selector matches nothing: \"gpu=*\" picks no gpu, there are n1/g0, n1/g1, n10/g0, n10/g1, n2/g0, n2/g1",
		"gpu=*/*":                "the selector is too wide: \"gpu=*/*\" picks 6 of 6 (100%) where at most 50% may be harmed at once: narrow it, or allow it with max_share=100%",
		"gpu=*/* max_share=99%":  "at most 99%",
		"gpu=*/* max_share=100%": "n1/g0 n1/g1 n10/g0 n10/g1 n2/g0 n2/g1",
		"gpu=n2/* max_share=20%": "allow it with max_share=34%",
		"gpu=n2/* max_share=34%": "n2/g0 n2/g1",
		"gpu=n2/g2":              "the selector matches nothing",
		"node=n3":                "the selector matches nothing",
		"rack=r1":                "select by gpu or node",
	} {
		target, rest, _ := strings.Cut(selector, " ")
		f, err := Parse("gpu.oom on " + target + " for 1s " + rest)
		require.NoError(t, err)
		got, err := f.Resolve(candidates)
		if err != nil {
			require.ErrorContains(t, err, want, selector)
			continue
		}
		assert.Equal(t, want, strings.Join(got, " "), selector)
	}
}

// TestResolveErrors: who calls can tell nothing from too much.
func TestResolveErrors(t *testing.T) {
	candidates := map[string][]string{"gpu": {"n1/g0"}}
	f := Fault{Kind: "gpu.oom", On: Selector{{Key: "gpu", Value: "n1/g1"}}, For: 1}
	_, err := f.Resolve(candidates)
	require.ErrorIs(t, err, ErrNoMatch)
	f.On[0].Value = "n1/g0"
	_, err = f.Resolve(candidates)
	require.ErrorIs(t, err, ErrTooWide, "one of one is everything")
	f.MaxShare = 1
	got, err := f.Resolve(candidates)
	require.NoError(t, err)
	assert.Equal(t, []string{"n1/g0"}, got)
	f.On = nil
	_, err = f.Resolve(candidates)
	require.ErrorContains(t, err, "never means everything")
}

// TestGlobAgainstRegexp compares with a dumb oracle.
func TestGlobAgainstRegexp(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	word := func(letters string) string {
		b := make([]byte, rng.IntN(8))
		for i := range b {
			b[i] = letters[rng.IntN(len(letters))]
		}
		return string(b)
	}
	matched := 0
	for range 50_000 {
		pattern, s := word("ab/**"), word("ab/")
		oracle := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, `[^/]*`) + "$")
		want := oracle.MatchString(s)
		require.Equal(t, want, glob(pattern, s), "%q on %q", pattern, s)
		if want {
			matched++
		}
	}
	assert.Greater(t, matched, 500, "the comparison must see both outcomes")
}

func TestLease(t *testing.T) {
	l := NewLease(1000, 100)
	steps := []struct {
		name  string
		now   event.Time
		renew time.Duration // 0 = none
		over  bool
		cause Cause
	}{
		{name: "no renewal expected: the duration bounds it", now: 1099},
		{name: "short lease", now: 1000, renew: 30},
		{name: "inside", now: 1029},
		{name: "renewed", now: 1029, renew: 30},
		{name: "inside the second", now: 1058},
		{name: "lost", now: 1059, over: true, cause: CauseLease},
		{name: "a renewal never passes the end", now: 1060, renew: 500},
		{name: "the last instant", now: 1099},
		{name: "the end", now: 1100, over: true, cause: CauseDuration},
	}
	for _, s := range steps {
		if s.renew > 0 {
			l.Renew(s.now, s.renew)
		}
		cause, over := l.Over(s.now)
		assert.Equal(t, s.over, over, s.name)
		assert.Equal(t, s.cause, cause, s.name)
	}
}
