package gpu

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func llamaOnH100(t testing.TB) (Spec, Model) {
	t.Helper()
	s, err := SpecOf("h100-80gb")
	require.NoError(t, err)
	m, err := ModelOf("llama-3.1-8b")
	require.NoError(t, err)
	return s, m
}

// Published figures for Llama-3.1-8B in BF16 on one H100, and how near the formula comes. BLIS's are
// of 200/200 tokens at a closed-loop concurrency (mean context 300); its batch of 250 finds more head
// room in the tensor cores than end-to-end tables do (NIM's 8B shows 16.1 ms there).
func TestStepAgainstPublishedFigures(t *testing.T) {
	timing := TimingOf(llamaOnH100(t))
	decode := func(sequences, context int) (b Batch) {
		for range sequences {
			b.AddDecode(context)
		}
		return b
	}
	prefill := func(n int) (b Batch) {
		b.Add(n, 0, true)
		return b
	}
	for name, c := range map[string]struct {
		batch     Batch
		published time.Duration
		within    float64
	}{
		"decode, 1 sequence (BLIS)":             {decode(1, 300), 6900 * time.Microsecond, 0.05},
		"decode, 8 sequences (vLLM CI, H200)":   {decode(8, 96), 6500 * time.Microsecond, 0.10},
		"decode, 50 sequences (BLIS)":           {decode(50, 300), 8200 * time.Microsecond, 0.10},
		"decode, 250 sequences (BLIS)":          {decode(250, 300), 13900 * time.Microsecond, 0.20},
		"decode, 250 sequences (NIM)":           {decode(250, 300), 16100 * time.Microsecond, 0.10},
		"prefill, 2048 tokens (MFU 0.45 alone)": {prefill(2048), 74 * time.Millisecond, 0.10},
	} {
		t.Run(name, func(t *testing.T) {
			got := timing.Step(c.batch)
			t.Logf("step %v, published %v (%+.0f %%)", got, c.published, 100*(got.Seconds()/c.published.Seconds()-1))
			assert.InEpsilon(t, c.published.Seconds(), got.Seconds(), c.within)
		})
	}
}

func TestStepGrowsWithEveryKindOfWork(t *testing.T) {
	timing := TimingOf(llamaOnH100(t))
	base := Batch{Prefill: 512, Pairs: 512 * 513 / 2, Decode: 20, Context: 20 * 300, Samples: 21, Chunks: 1}
	more := map[string]Batch{"prefill": base, "pairs": base, "decode": base, "context": base, "chunks": base}
	for name, b := range more {
		switch name {
		case "prefill":
			b.Prefill += 64
		case "pairs":
			b.Pairs *= 2
		case "decode":
			b.Decode++
		case "context":
			b.Context += 1000
		case "chunks":
			b.Chunks++
		}
		assert.Greater(t, timing.Step(b), timing.Step(base), name)
	}
}

// A prompt cut into chunks attends to the same pairs as one prefilled at once.
func TestChunksCoverTheSamePairs(t *testing.T) {
	var whole, cut Batch
	whole.Add(1000, 0, true)
	for at := 0; at < 1000; at += 8 {
		cut.Add(8, at, at == 992)
	}
	assert.Equal(t, whole.Pairs, cut.Pairs)
	assert.Equal(t, whole.Prefill, cut.Prefill)
	assert.Equal(t, whole.Samples, cut.Samples)
}

func TestFootprintOf8B(t *testing.T) {
	s, m := llamaOnH100(t)
	c := FootprintConfig{Spec: s, Model: m, Utilisation: 0.9, TokenBudget: 8192, Sequences: 256, BlockTokens: 16}
	f, err := FootprintOf(c)
	require.NoError(t, err)
	assert.EqualValues(t, 131072, m.KVBytes())
	assert.EqualValues(t, 102400, m.TokenBytes())
	assert.EqualValues(t, 1026048, m.SampleBytes())
	used := f.Context + f.Weights + f.Graphs + int64(f.Blocks)*f.BlockBytes
	assert.LessOrEqual(t, used+f.Peak, f.Claim)
	assert.Greater(t, used+f.Peak+f.BlockBytes, f.Claim)
	free := s.Total - used
	t.Logf("peak %d MB, %d blocks (%d tokens), %d MB free", f.Peak/1e6, f.Blocks, f.Blocks*16, free/1e6)

	// The hog of the built-in scenario leaves half a per cent of that.
	left := free / 200
	typical := m.ActivationBytes(512+15, 16)
	t.Logf("a hog of 99.5 %% leaves %.1f MB; 512 tokens with 15 decodes need %.1f MB", float64(left)/1e6, float64(typical)/1e6)
	assert.Greater(t, m.ActivationBytes(512, 1), left, "even a lone prefill of 512")
	assert.Greater(t, typical, left*4/3, "and clearly beside a few decodes")
	assert.Less(t, m.ActivationBytes(256, 16), left, "a chunk of 256 beside 15 decodes fits")
	assert.Less(t, m.ActivationBytes(40, 40), left, "40 decodes fit")

	c.Utilisation = 0.2
	_, err = FootprintOf(c)
	assert.ErrorContains(t, err, "raise the utilisation")
}

func TestUnknownKeysNameTheKnown(t *testing.T) {
	_, err := SpecOf("h800")
	require.ErrorContains(t, err, "h100-80gb")
	_, err = ModelOf("gpt")
	assert.ErrorContains(t, err, "llama-3.1-8b")
}

func BenchmarkStep(b *testing.B) {
	timing := TimingOf(llamaOnH100(b))
	batch := Batch{Prefill: 512, Pairs: 512 * 513 / 2, Decode: 20, Context: 20 * 300, Samples: 21, Chunks: 1}
	b.ReportAllocs()
	for b.Loop() {
		timing.Step(batch)
	}
}
