// Package faultstest checks fault drivers: one suite that every faults.Driver must pass, and a driver
// that does what a test's script says.
//
// What may not live here: anything a program outside tests needs.
package faultstest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/faults"
)

// looks bounds how often the suite asks for a proof; a driver over a real clock gets Settle between.
const looks = 50

// Case is one kind of one driver against a healthy target.
type Case struct {
	Fault  string                         // one-line syntax, without a ramp
	New    func(*testing.T) faults.Driver // a fresh driver on the same healthy target
	Settle func()                         // nil, or lets time pass between two looks
}

// Conform runs the life of a fault and the ways it goes wrong.
func Conform(t *testing.T, c Case) {
	t.Helper()
	f, err := faults.Parse(c.Fault)
	require.NoError(t, err)
	setup := func(t *testing.T) (faults.Driver, []string) {
		d := c.New(t)
		require.Contains(t, d.Kinds(), f.Kind)
		candidates, err := d.Candidates(t.Context())
		require.NoError(t, err)
		targets, err := f.Resolve(candidates)
		require.NoError(t, err)
		return d, targets
	}
	t.Run("a life", func(t *testing.T) {
		d, targets := setup(t)
		undo, err := d.Arm(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		c.becomes(t, d.Prove, f, targets)
		gone, err := d.ProveGone(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		require.False(t, gone.Holds, "it is proven gone while it is on: %s", gone.Evidence)
		require.NoError(t, d.Clear(t.Context(), "f-1", undo))
		c.becomes(t, d.ProveGone, f, targets)
		require.NoError(t, d.Clear(t.Context(), "f-1", undo), "clearing twice is fine")
		again, err := d.Prove(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		require.False(t, again.Holds, "it is still proven after it was cleared: %s", again.Evidence)
	})
	t.Run("not armed is not proven", func(t *testing.T) {
		d, targets := setup(t)
		proof, err := d.Prove(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		require.False(t, proof.Holds, proof.Evidence)
		require.NotEmpty(t, proof.Evidence, "a look that saw nothing still says what it saw")
	})
	t.Run("a new holder undoes", func(t *testing.T) {
		first, targets := setup(t)
		undo, err := first.Arm(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		second := c.New(t)
		require.NoError(t, second.Clear(t.Context(), "f-1", undo))
		c.becomes(t, second.ProveGone, f, targets)
	})
	t.Run("a new holder undoes what died while arming", func(t *testing.T) {
		first, targets := setup(t)
		_, err := first.Arm(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		second := c.New(t)
		require.NoError(t, second.Clear(t.Context(), "f-1", nil))
		c.becomes(t, second.ProveGone, f, targets)
	})
	t.Run("clearing what never was", func(t *testing.T) {
		d, targets := setup(t)
		require.NoError(t, d.Clear(t.Context(), "f-1", nil))
		c.becomes(t, d.ProveGone, f, targets)
	})
}

type look func(ctx context.Context, id string, f faults.Fault, targets []string) (faults.Proof, error)

// becomes asks until the proof holds.
func (c Case) becomes(t *testing.T, prove look, f faults.Fault, targets []string) {
	t.Helper()
	var last faults.Proof
	for range looks {
		p, err := prove(t.Context(), "f-1", f, targets)
		require.NoError(t, err)
		if last = p; p.Holds {
			require.NotEmpty(t, p.Evidence)
			return
		}
		if c.Settle != nil {
			c.Settle()
		}
	}
	require.Fail(t, "never proven", last.Evidence)
}
