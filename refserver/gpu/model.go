package gpu

import "fmt"

// Model is the shape of one transformer, as its published config gives it.
type Model struct {
	Key          string
	Layers       int
	Hidden       int
	Intermediate int // MLP width
	Heads        int // query heads
	KVHeads      int
	HeadDim      int
	Vocabulary   int
	Window       int     // longest context in tokens
	Params       float64 // all of them, the input embedding included
	Width        int     // bytes per weight and activation
}

// models is written once, before main, and only read after.
//
// llama-3.1-8b: config.json and the model card of meta-llama/Llama-3.1-8B, in BF16.
var models = map[string]Model{
	"llama-3.1-8b": {
		Key: "llama-3.1-8b", Layers: 32, Hidden: 4096, Intermediate: 14336, Heads: 32, KVHeads: 8,
		HeadDim: 128, Vocabulary: 128256, Window: 131072, Params: 8.03e9, Width: 2,
	},
}

// ModelOf finds a model by its key.
func ModelOf(key string) (Model, error) {
	m, ok := models[key]
	if !ok {
		return Model{}, fmt.Errorf("model %q is not known to the simulated GPUs; use one of: %s", key, keys(models))
	}
	return m, nil
}

// WeightBytes is what the weights take on the device.
func (m Model) WeightBytes() int64 { return int64(m.Params) * int64(m.Width) }

// streamedBytes is what one step reads of them: all but the input embedding, of which a step only
// looks up one row per token.
func (m Model) streamedBytes() float64 {
	return (m.Params - float64(m.Vocabulary)*float64(m.Hidden)) * float64(m.Width)
}

// KVBytes is the KV cache of one token: 2 (key, value) · layers · KV heads · head dim · width.
func (m Model) KVBytes() int64 {
	return 2 * int64(m.Layers) * int64(m.KVHeads) * int64(m.HeadDim) * int64(m.Width)
}

// TokenBytes is the activation memory of one token at the widest point of a layer, SiLU-and-multiply
// in the MLP: its input (gate and up, 2·intermediate), its output (intermediate), the residual and the
// normalised hidden state (2·hidden). Layers run one after the other and reuse the same memory.
func (m Model) TokenBytes() int64 {
	return int64(3*m.Intermediate+2*m.Hidden) * int64(m.Width)
}

// SampleBytes is the memory to sample one sequence: logits and probabilities over the vocabulary,
// both in float32.
func (m Model) SampleBytes() int64 { return int64(m.Vocabulary) * 4 * 2 }

// ActivationBytes is what a step allocates at run time: tokens that pass through the layers, and
// sequences of them that get a next token. 8B: 102,400 B a token and 1,026,048 B a sample.
func (m Model) ActivationBytes(tokens, samples int) int64 {
	return int64(tokens)*m.TokenBytes() + int64(samples)*m.SampleBytes()
}
