package gpu

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
)

const t0 = event.Time(time.Hour)

// oracle is the ledger as one map of who holds what, summed anew for every question.
type oracle struct {
	total int64
	owned map[string]int64
}

func (o oracle) free() int64 {
	free := o.total
	for _, n := range o.owned {
		free -= n
	}
	return free
}

func TestLedgerAgainstOracle(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		l, o := NewLedger(1000), oracle{1000, map[string]int64{}}
		now, refused := t0, int64(0)
		for range 400 {
			now = now.Add(time.Duration(r.IntN(1000)) * time.Microsecond)
			p := Purpose(r.IntN(int(numPurposes)))
			n := r.Int64N(400)
			id := string(rune('a' + r.IntN(4)))
			switch r.IntN(6) {
			case 0, 1:
				err := l.Alloc(now, p, n)
				if n <= o.free() {
					require.NoError(t, err)
					o.owned[p.String()] += n
					break
				}
				refused++
				refusal, ok := errors.AsType[*RefusedError](err)
				require.True(t, ok)
				require.Equal(t, admin.Refusal{At: now, Bytes: n, Free: o.free(), For: p.String()}, refusal.Refusal)
			case 2, 3:
				l.Release(now, p, n)
				o.owned[p.String()] -= min(n, o.owned[p.String()])
			case 4:
				// Holdings of this test never wait: activations are not in their way, there is no ramp.
				if r.IntN(8) == 0 {
					l.ReleaseAll(now)
					for p := range numPurposes {
						delete(o.owned, p.String())
					}
				}
				if l.Used(Activations) == 0 && o.owned["hold "+id] == 0 && o.free() > 0 {
					want := min(n+1, o.free())
					h, fresh, err := l.Hold(now, admin.HoldRequest{ID: id, Bytes: n + 1, TTL: time.Hour})
					require.NoError(t, err)
					require.Equal(t, want, h.Bytes)
					require.True(t, fresh)
					o.owned["hold "+id] = want
				}
			case 5:
				h, was := l.Unhold(now, id)
				require.Equal(t, o.owned["hold "+id] > 0, was)
				require.True(t, h.Gone)
				delete(o.owned, "hold "+id)
			}
			require.Equal(t, o.free(), l.Free())
			require.GreaterOrEqual(t, l.Free(), int64(0))
			var d admin.Device
			l.Describe(&d)
			require.Equal(t, d.Total, d.Used+d.Free)
			require.Equal(t, refused, d.Refused)
			var sum int64
			for _, n := range d.Ledger {
				sum += n
			}
			require.Equal(t, d.Used, sum)
		}
	}
}

func TestHoldTakesAShareOfWhatIsFreeBetweenSteps(t *testing.T) {
	l := NewLedger(1000)
	require.NoError(t, l.Alloc(t0, KV, 600))
	require.NoError(t, l.Alloc(t0, Activations, 300))

	h, _, err := l.Hold(t0, admin.HoldRequest{ID: "hog", Share: 0.9, TTL: time.Minute})
	require.NoError(t, err)
	assert.Equal(t, int64(360), h.Target, "of 400, the activations included")
	assert.Equal(t, int64(100), h.Bytes, "what fits beside the running step")
	at, ok := l.Due(t0)
	assert.True(t, ok)
	assert.Equal(t, t0.Add(rampTick), at, "it keeps asking")

	l.Release(t0, Activations, 300)
	assert.Equal(t, int64(40), l.Free(), "the hog took the rest when the step ended")
	require.Error(t, l.Alloc(t0, Activations, 300))
	at, _ = l.Due(t0)
	assert.Equal(t, t0.Add(time.Minute), at)
}

func TestHoldIsIdempotentAndRenews(t *testing.T) {
	l := NewLedger(1000)
	r := admin.HoldRequest{ID: "hog", Share: 0.5, TTL: time.Second}
	first, fresh, err := l.Hold(t0, r)
	require.NoError(t, err)
	assert.True(t, fresh)
	again, fresh, err := l.Hold(t0.Add(500*time.Millisecond), r)
	require.NoError(t, err)
	assert.False(t, fresh)
	assert.Equal(t, first.Bytes, again.Bytes)
	assert.Empty(t, l.Expire(t0.Add(1499*time.Millisecond)))
	gone := l.Expire(t0.Add(1500 * time.Millisecond))
	require.Len(t, gone, 1)
	assert.True(t, gone[0].Gone)
	assert.Equal(t, int64(1000), l.Free())
	_, ok := l.Due(t0)
	assert.False(t, ok)
}

func TestHoldRamps(t *testing.T) {
	l := NewLedger(1000)
	_, _, err := l.Hold(t0, admin.HoldRequest{ID: "hog", Bytes: 800, Ramp: time.Second, TTL: time.Minute})
	require.NoError(t, err)
	for _, c := range []struct {
		after time.Duration
		free  int64
	}{{0, 1000}, {250 * time.Millisecond, 800}, {999 * time.Millisecond, 201}, {time.Second, 200}, {time.Minute - 1, 200}} {
		l.Grow(t0.Add(c.after))
		assert.InDelta(t, c.free, l.Free(), 1, "%v", c.after)
	}
}

// Two holdings promised at the same time do not promise the same byte twice.
func TestHoldingsShareWhatIsLeft(t *testing.T) {
	l := NewLedger(1000)
	for _, id := range []string{"a", "b"} {
		_, _, err := l.Hold(t0, admin.HoldRequest{ID: id, Share: 0.5, Ramp: time.Second, TTL: time.Minute})
		require.NoError(t, err)
	}
	l.Grow(t0.Add(time.Second))
	assert.Equal(t, int64(250), l.Free())
}

func TestHoldingsAreBounded(t *testing.T) {
	l := NewLedger(1000)
	for i := range maxHoldings {
		_, _, err := l.Hold(t0, admin.HoldRequest{ID: string(rune('a' + i)), Bytes: 1, TTL: time.Minute})
		require.NoError(t, err)
	}
	_, _, err := l.Hold(t0, admin.HoldRequest{ID: "z", Bytes: 1, TTL: time.Minute})
	assert.ErrorContains(t, err, "release one first")
}

func TestValidateHoldNamesEveryProblem(t *testing.T) {
	require.NoError(t, ValidateHold(admin.HoldRequest{ID: "x", Share: 0.5, TTL: time.Second}))
	err := ValidateHold(admin.HoldRequest{Share: 2, Bytes: -1, Ramp: -1})
	for _, word := range []string{"id must", "exactly one", "share_of_free is 2", "bytes is -1", "ttl_ns", "ramp_ns"} {
		assert.ErrorContains(t, err, word)
	}
}
