package record

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/event"
)

const zero = event.Time(1_700_000_000_000_000_000)

func header() Header {
	return Header{Run: "r1", Instance: "1/1", Seed: 7, Clock: "c1", Start: zero, Version: formatVersion, Producer: "test"}
}

// anyRecord draws a record with every field at its odd values too.
func anyRecord(rng *rand.Rand, arrival uint64) Record {
	at := func() event.Time {
		switch rng.IntN(4) {
		case 0:
			return 0
		case 1:
			return event.Time(rng.Uint64()) // any clock, any sign
		default:
			return zero + event.Time(rng.Int64N(int64(time.Minute)))
		}
	}
	word := func() string { return strings.Repeat("é", rng.IntN(maxWord/2+1)) }
	return Record{
		Arrival: arrival, ID: word(), Tenant: word(), Model: word(), Class: word(), Node: word(), Note: word(),
		Due: at(), Sent: at(), First: at(), Last: at(), End: at(), Harmed: at(),
		Outcome: Outcome(1 + rng.IntN(int(NumOutcomes)-1)), Violated: Limit(rng.IntN(int(NumLimits))),
		Status: rng.IntN(1000) - 1, MaxGap: time.Duration(rng.Int64()) - time.Hour, Streaming: rng.IntN(2) == 0,
		PromptTokens: rng.IntN(1 << 20), OutputTokens: rng.IntN(1 << 20), TokensBy: TokenSource(rng.IntN(2)),
		Chunks: rng.IntN(1 << 20), Attempts: rng.IntN(9),
	}
}

func shardBytes(t testing.TB, records []Record, gaps map[int][]time.Duration, f Footer) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, header())
	require.NoError(t, err)
	for i := range records {
		require.NoError(t, w.Write(&records[i]))
	}
	for sec, list := range gaps {
		for _, g := range list {
			w.AddGap(sec, g)
		}
	}
	require.NoError(t, w.Close(f))
	return b.Bytes()
}

func TestShardRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var records []Record
		dropped := uint64(0)
		for i := range rng.IntN(20) {
			r := anyRecord(rng, uint64(i))
			if r.Outcome == Dropped {
				dropped++
			}
			records = append(records, r)
		}
		want := Footer{
			Finished: zero + 5, Client: ClientStats{MaxInFlight: 3, TimerLateP99: 0.25, ChunksRead: 9},
			Offsets:  []event.Offset{{Clock: "h", Shift: 5, Error: 1}},
			Timeline: []FaultSeen{{ID: "f1", Fault: "gpu.oom on gpu=n2/g1 for 10s", LeaseLost: true}},
		}
		s, err := Read(bytes.NewReader(shardBytes(t, records, nil, want)))
		require.NoError(t, err)
		want.Records, want.Dropped = uint64(len(records)), dropped
		assert.True(t, s.Complete)
		assert.Equal(t, header(), s.Header)
		assert.Equal(t, records, s.Records)
		assert.Equal(t, want, s.Footer)
	}
}

// More seconds than the writer keeps open, out of order: every gap must come back in its second.
func TestGapsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	var want Gaps
	var b bytes.Buffer
	w, err := NewWriter(&b, header())
	require.NoError(t, err)
	for range 2_000 {
		sec, gap := rng.IntN(4*openSeconds), time.Duration(rng.Int64N(int64(20*time.Minute)))-time.Second
		want.Add(sec, gap)
		w.AddGap(sec, gap)
	}
	assert.LessOrEqual(t, len(w.gaps.Seconds), openSeconds)
	require.NoError(t, w.Close(Footer{}))
	s, err := Read(&b)
	require.NoError(t, err)
	assertSameGaps(t, want, s.Gaps)
}

func assertSameGaps(t *testing.T, want, got Gaps) {
	t.Helper()
	require.Len(t, got.Seconds, len(want.Seconds))
	for sec, h := range want.Seconds {
		require.NotNil(t, got.Seconds[sec], "second %d", sec)
		assert.True(t, h.Equals(got.Seconds[sec]), "second %d", sec)
	}
}

// Every prefix of a shard gives the records that were whole in it, and never claims to be complete.
func TestCutOffShardKeepsItsGoodRecords(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	records := []Record{anyRecord(rng, 1), anyRecord(rng, 2), anyRecord(rng, 3)}
	whole := shardBytes(t, records, map[int][]time.Duration{1: {time.Millisecond}}, Footer{})
	most := 0
	for n := range len(whole) {
		s, err := Read(bytes.NewReader(whole[:n]))
		assert.False(t, s.Complete, "prefix of %d bytes", n)
		if err != nil {
			assert.Zero(t, most, "a shard with a good header is never an error by being short: %v", err)
			continue
		}
		assert.GreaterOrEqual(t, len(s.Records), most)
		most = len(s.Records)
		assert.Equal(t, records[:most:most], append([]Record{}, s.Records...))
	}
	assert.Equal(t, 3, most)
}

// Any flipped bit is noticed: an error, or (a length that now points past the end) a shard cut off.
func TestDamageIsNoticed(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	r := anyRecord(rng, 1)
	r.ID, r.Tenant, r.Model, r.Class, r.Node, r.Note = "id", "", "m", "", "n2", "a note"
	whole := shardBytes(t, []Record{r}, map[int][]time.Duration{0: {time.Second}}, Footer{})
	for i := range whole {
		for bit := range 8 {
			broken := bytes.Clone(whole)
			broken[i] ^= 1 << bit
			s, err := Read(bytes.NewReader(broken))
			require.False(t, err == nil && s.Complete, "byte %d bit %d", i, bit)
		}
	}
}

func TestErrorsNameTheOffset(t *testing.T) {
	whole := shardBytes(t, []Record{{Arrival: 1, Outcome: OK}}, nil, Footer{})
	broken := bytes.Clone(whole)
	broken[len(whole)-1] ^= 1
	_, err := Read(bytes.NewReader(broken))
	require.ErrorContains(t, err, "damaged shard at byte ")
	require.ErrorContains(t, err, "checksum")

	_, err = Read(bytes.NewReader(append(bytes.Clone(whole), 'x')))
	require.ErrorContains(t, err, "bytes follow the footer")
	_, err = Read(strings.NewReader("{\"json\": 1} and more"))
	require.ErrorContains(t, err, "not a shard file")
	_, err = Read(strings.NewReader(magic + "\x09"))
	require.ErrorContains(t, err, "format 9")
	_, err = Read(io.MultiReader(bytes.NewReader(whole[:20]), errReader{}))
	require.ErrorContains(t, err, "reading the shard: disk on fire")
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, errors.New("disk on fire") }

func TestBoundsHold(t *testing.T) {
	records := []Record{{Arrival: 1, Outcome: OK}, {Arrival: 2, Outcome: OK}}
	gaps := map[int][]time.Duration{1: {1}, 2: {1}, 3: {1}}
	whole := shardBytes(t, records, gaps, Footer{})
	_, err := ReadWithin(bytes.NewReader(whole), Bounds{Records: 2, GapSeconds: 3})
	require.NoError(t, err)
	_, err = ReadWithin(bytes.NewReader(whole), Bounds{Records: 1, GapSeconds: 3})
	require.ErrorContains(t, err, "more than 1 records")
	_, err = ReadWithin(bytes.NewReader(whole), Bounds{Records: 2, GapSeconds: 2})
	require.ErrorContains(t, err, "more than 2 seconds")
}

// A footer that disagrees with the file means lost frames, not a smaller run.
func TestLostFramesAreNoticed(t *testing.T) {
	one := shardBytes(t, []Record{{Arrival: 1, Outcome: OK}}, nil, Footer{})
	none := shardBytes(t, nil, nil, Footer{})
	var b bytes.Buffer
	w, err := NewWriter(&b, header())
	require.NoError(t, err)
	require.NoError(t, w.Flush())
	cut := b.Len()
	_, err = Read(bytes.NewReader(append(bytes.Clone(none[:cut]), one[len(one)-(len(none)-cut):]...)))
	require.ErrorContains(t, err, "the footer counts 1 records, the file holds 0")
}

func TestWriterRefusesWhatTheReaderWould(t *testing.T) {
	w, err := NewWriter(io.Discard, header())
	require.NoError(t, err)
	require.ErrorContains(t, w.Write(&Record{Arrival: 9}), "request 9 has no valid outcome")
	require.Error(t, w.Write(&Record{Outcome: NumOutcomes}))
	require.Error(t, w.Write(&Record{Outcome: OK, Violated: NumLimits}))
	require.Error(t, w.Write(&Record{Outcome: OK, TokensBy: 2}))
	require.NoError(t, w.Write(&Record{Outcome: OK}), "a refused record does not break the writer")
	require.NoError(t, w.Close(Footer{}))
	require.Error(t, w.Write(&Record{Outcome: OK}), "after Close nothing may follow the footer")
}

func TestWriteErrorsStick(t *testing.T) {
	_, err := NewWriter(failWriter{}, header())
	require.ErrorContains(t, err, "no space")
}

type failWriter struct{}

func (failWriter) Write([]byte) (int, error) { return 0, errors.New("no space") }

// Node and note come from the server under test: long ones are cut, between two characters.
func TestLongTextsAreCut(t *testing.T) {
	r := Record{Outcome: OK, Node: strings.Repeat("x", 10_000), Note: "a" + strings.Repeat("é", 10_000)}
	s, err := Read(bytes.NewReader(shardBytes(t, []Record{r}, nil, Footer{})))
	require.NoError(t, err)
	assert.Len(t, s.Records[0].Node, maxWord)
	assert.Equal(t, "a"+strings.Repeat("é", (maxNote-1)/2), s.Records[0].Note)
}

func TestOutcomeWordsRoundTrip(t *testing.T) {
	for o := OK; o < NumOutcomes; o++ {
		text, err := o.MarshalText()
		require.NoError(t, err)
		var back Outcome
		require.NoError(t, back.UnmarshalText(text))
		assert.Equal(t, o, back)
	}
	require.ErrorContains(t, new(Outcome).UnmarshalText([]byte("fine")), "no outcome")
}

func FuzzRead(f *testing.F) {
	rng := rand.New(rand.NewPCG(9, 10))
	f.Add(shardBytes(f, []Record{anyRecord(rng, 1), anyRecord(rng, 2)}, map[int][]time.Duration{2: {time.Second}}, Footer{Timeline: []FaultSeen{{ID: "x"}}}))
	f.Add([]byte(magic + "\x01H\xff\xff\xff\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadWithin(bytes.NewReader(b), Bounds{Records: 1000, GapSeconds: 10})
		if err == nil && s.Complete {
			var again bytes.Buffer
			w, werr := NewWriter(&again, s.Header)
			require.NoError(t, werr)
			for i := range s.Records {
				require.NoError(t, w.Write(&s.Records[i]), "what was read can be written")
			}
		}
	})
}

// FuzzPayloads reaches behind the checksums, where FuzzRead hardly gets.
func FuzzPayloads(f *testing.F) {
	rng := rand.New(rand.NewPCG(11, 12))
	r := anyRecord(rng, 4)
	f.Add(appendRecord(nil, &r, zero))
	h := NewGapHistogram()
	_ = h.RecordValue(1234)
	f.Add(appendGaps(nil, 3, h))
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := decodeRecord(b, zero, words{}); err == nil {
			again, err := decodeRecord(appendRecord(nil, &got, zero), zero, words{})
			require.NoError(t, err)
			require.Equal(t, got, again)
		}
		var g Gaps
		if decodeGaps(b, &g, 2) == nil {
			for sec, h := range g.Seconds {
				var back Gaps
				require.NoError(t, decodeGaps(appendGaps(nil, sec, h), &back, 2))
				require.True(t, h.Equals(back.Seconds[sec]))
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	w, err := NewWriter(io.Discard, header())
	require.NoError(b, err)
	r := Record{
		Arrival: 12345, ID: "r-0123456789abcdef", Tenant: "default", Model: "llama-3.1-8b", Node: "n2",
		Due: zero + 1e9, Sent: zero + 1e9 + 1e5, First: zero + 1e9 + 3e7, Last: zero + 2e9, End: zero + 2e9,
		Outcome: OK, Status: 200, MaxGap: 3e7, Streaming: true, PromptTokens: 512, OutputTokens: 64, Chunks: 64, Attempts: 1,
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Write(&r); err != nil {
			b.Fatal(err)
		}
		w.AddGap(3, 12*time.Millisecond)
	}
}
