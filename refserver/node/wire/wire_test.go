package wire

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/mem"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/refserver/engine"
)

var frames = []Frame{
	{},
	{Epoch: 3, Chunk: engine.Chunk{Text: " hello", Index: 17, Tokens: 1}},
	{Epoch: 1 << 33, Chunk: engine.Chunk{Text: "é\xff", Index: 70000, Tokens: 40}},
	{Epoch: 3, Chunk: engine.Chunk{Index: 64, Finish: engine.FinishLength}},
	{Epoch: 3, Chunk: engine.Chunk{Index: 9, Err: &engine.Error{Reason: engine.ReasonDead, Text: "gone", Killed: true}}},
	{Chunk: engine.Chunk{Err: &engine.Error{Reason: engine.ReasonOverloaded}}},
}

var asks = []Ask{
	{},
	{Epoch: 2, Instance: "abc", Replica: "n1/g0/m", Request: engine.Request{
		ID: "r-1", Model: "m", Prompt: "not \xff UTF-8 stays as it is", Seed: 1<<64 - 1, PromptTokens: 512, MaxTokens: 64,
		IgnoreEOS: true, Stop: []string{"a", "", "end"}, ResumeAt: 12, Sent: "so far"}},
}

func TestFramesComeBack(t *testing.T) {
	for _, want := range frames {
		data, err := Codec{}.Marshal(&want)
		require.NoError(t, err)
		got := Frame{Epoch: 99, Chunk: engine.Chunk{Text: "left over"}}
		require.NoError(t, Codec{}.Unmarshal(data, &got))
		assert.Equal(t, want, got)
	}
	data, err := Codec{}.Marshal(&frames[1])
	require.NoError(t, err)
	assert.Equal(t, 11, data.Len(), "a token's frame is its text and five bytes")
}

func TestAsksComeBack(t *testing.T) {
	for _, want := range asks {
		data, err := Codec{}.Marshal(&want)
		require.NoError(t, err)
		var got Ask
		require.NoError(t, Codec{}.Unmarshal(data, &got))
		assert.Equal(t, want, got)
	}
}

func TestJSONMessages(t *testing.T) {
	want := Beat{Instance: "i", Loads: []engine.Load{{State: engine.Ready, Running: 3, KVUsage: 0.5}}, Node: admin.Node{ID: "n1"}}
	data, err := Codec{}.Marshal(&want)
	require.NoError(t, err)
	var got Beat
	require.NoError(t, Codec{}.Unmarshal(data, &got))
	assert.Equal(t, want, got)
	_, err = Codec{}.Marshal(func() {})
	require.ErrorContains(t, err, "cannot be written")
	assert.ErrorContains(t, Codec{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer("{")}, &got), "cannot be read")
}

// Every cut of a message is refused: nothing is read as less than it was.
func TestDamageIsSeen(t *testing.T) {
	for _, f := range frames {
		whole := f.pack(nil)
		for n := range whole {
			assert.Error(t, new(Frame).unpack(whole[:n]))
		}
		assert.Error(t, new(Frame).unpack(append(whole, 0)), "something is left over")
	}
	for _, a := range asks {
		whole := a.pack(nil)
		for n := range whole {
			assert.Error(t, new(Ask).unpack(whole[:n]))
		}
	}
	assert.Error(t, new(Frame).unpack([]byte{0xff, 0, 0, 0}))
}

func FuzzFrame(f *testing.F) {
	for _, frame := range frames {
		f.Add(frame.pack(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, again Frame
		if got.unpack(data) == nil {
			require.NoError(t, again.unpack(got.pack(nil)))
			require.Equal(t, got.Chunk.Err == nil, again.Chunk.Err == nil)
		}
	})
}

func FuzzAsk(f *testing.F) {
	for _, ask := range asks {
		f.Add(ask.pack(nil))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var got, again Ask
		if got.unpack(data) == nil {
			require.NoError(t, again.unpack(got.pack(nil)))
			require.Equal(t, got, again)
		}
	})
}

func BenchmarkFrame(b *testing.B) {
	b.ReportAllocs()
	frame, got := frames[1], Frame{}
	for b.Loop() {
		data, err := Codec{}.Marshal(&frame)
		if err != nil || (Codec{}).Unmarshal(data, &got) != nil {
			b.Fatal(err)
		}
	}
}
