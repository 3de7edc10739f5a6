package gpu

import "fmt"

// Footprint is how an engine divides a device among its static allocations, as vLLM does: KV takes
// what remains of utilisation × total after everything else it expects to need.
type Footprint struct {
	Context, Weights, Graphs int64
	Peak                     int64 // activations of a step with the full token budget; not allocated ahead
	BlockBytes               int64 // one KV block
	Blocks                   int   // KV blocks of an undisturbed load
	Claim                    int64 // utilisation × total: what must be free at start
}

// FootprintConfig says what the engine was told.
type FootprintConfig struct {
	Spec        Spec
	Model       Model
	Utilisation float64 // 0…1 of the device's memory
	TokenBudget int
	Sequences   int
	BlockTokens int
}

// FootprintOf divides the device; it fails when not even one block is left for the cache.
func FootprintOf(c FootprintConfig) (Footprint, error) {
	f := Footprint{
		Context: c.Spec.Context, Weights: c.Model.WeightBytes(), Graphs: c.Spec.Graphs,
		Peak:       c.Model.ActivationBytes(c.TokenBudget, c.Sequences),
		BlockBytes: int64(c.BlockTokens) * c.Model.KVBytes(),
		Claim:      int64(c.Utilisation * float64(c.Spec.Total)),
	}
	f.Blocks = f.fit(f.Claim)
	if f.Blocks < 1 {
		return f, fmt.Errorf("model %s leaves no memory for the KV cache on %s at memory utilisation %g: "+
			"raise the utilisation or lower the token budget", c.Model.Key, c.Spec.Key, c.Utilisation)
	}
	return f, nil
}

// BlocksFor is how many blocks fit, at most the undisturbed number, if free bytes were all there is
// for KV and the activation peak (context, weights and graphs being allocated already).
func (f Footprint) BlocksFor(free int64) int {
	return max(0, min(f.Blocks, int((free-f.Peak)/f.BlockBytes)))
}

func (f Footprint) fit(claim int64) int {
	return int((claim - f.Context - f.Weights - f.Graphs - f.Peak) / f.BlockBytes)
}
