package run

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/reports/record"
)

// holderThat answers every call after takes.
type holderThat struct {
	takes time.Duration
	err   error
	calls int
}

func (h *holderThat) List(context.Context) ([]faults.Held, error) {
	time.Sleep(h.takes)
	h.calls++
	return nil, h.err
}

func TestInjectorCost(t *testing.T) {
	for name, row := range map[string]struct {
		takes time.Duration
		calls int
	}{"quick": {time.Millisecond, injectorCalls}, "slow": {20 * time.Millisecond, 8}, "hangs": {3 * time.Second, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &holderThat{takes: row.takes}
				got, err := injector(t.Context(), h, 0)
				require.NoError(t, err)
				s := row.takes.Seconds()
				assert.Equal(t, record.Spread{N: row.calls, P50: s, P99: s, Max: s}, got.Call)
				assert.Equal(t, row.calls, h.calls)
				assert.False(t, got.InPath)
				assert.Nil(t, got.IdleCores, "no process to look at")
			})
		})
	}
	_, err := injector(t.Context(), &holderThat{err: errors.New("gone")}, 0)
	assert.EqualError(t, err, "the fault holder did not answer before the run: gone")
}

func TestInjectorLooksAtTheAgentsProcess(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the scheduler's account is Linux's")
	}
	got, err := injector(t.Context(), &holderThat{}, os.Getpid())
	require.NoError(t, err)
	require.NotNil(t, got.IdleCores)
	assert.GreaterOrEqual(t, *got.IdleCores, 0.0)

	// Time that was really spent is seen.
	before, err := threadTime(os.Getpid())
	require.NoError(t, err)
	for after := before; after-before < 10*time.Millisecond; {
		after, err = threadTime(os.Getpid())
		require.NoError(t, err)
	}
	_, err = threadTime(0)
	assert.Error(t, err, "there is no process 0 to look at")
}
