package load

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/synth"
)

// The three formats as their publishers write them; the numbers are made up.
const (
	azureTrace = "TIMESTAMP,ContextTokens,GeneratedTokens\n" +
		"2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:47.6805900,396,109\r\n\n2023-11-16 18:15:50.6805901,879,0\n"
	azureLater = "TIMESTAMP,ContextTokens,GeneratedTokens,NumImages\n" +
		"2024-05-10 00:00:00.009930+00:00,2162,5,0\n2024-05-10 00:00:00.509930+00:00,2399,6,1\n"
	burstTrace = "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n" +
		"19440110.0,1722ac82,43,GPT-4,906,446,1352,Conversation log\n19440111.5,d5983bf9,2,ChatGPT,36,0,36,\"API log\"\n"
	mooncakeTrace = `{"timestamp": 0, "input_length": 1100, "output_length": 500, "hash_ids": [0, 1, 2]}` + "\n" +
		`{"timestamp": 0, "input_length": 600, "output_length": 490, "hash_ids": [0, 3]}` + "\n" +
		`{"timestamp": 3052, "input_length": 1100, "output_length": 794, "hash_ids": [0, 1, 4]}` + "\n" +
		`{"timestamp": 6000.5, "input_length": 40, "output_length": 3}` + "\n"
)

func traceFile(t *testing.T, text string) *TraceFile {
	t.Helper()
	name := filepath.Join(t.TempDir(), "x.trace")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return &TraceFile{File: name}
}

func opened(t *testing.T, text string, change func(*TraceFile)) Plan {
	t.Helper()
	p := plan(Replay, 0)
	p.Arrivals.Trace = traceFile(t, text)
	if change != nil {
		change(p.Arrivals.Trace)
	}
	require.NoError(t, p.Validate())
	require.NoError(t, p.Open())
	return p
}

// told is (due, prompt, output) of every arrival.
func told(p Plan) (out []string) {
	for a := range p.All() {
		out = append(out, fmt.Sprintf("%v %d %d", a.Due, a.Prompt, a.Output))
	}
	return out
}

func TestTraceFormats(t *testing.T) {
	for name, tc := range map[string]struct {
		text, format string
		want         []string
	}{
		"azure":    {azureTrace, FormatAzure, []string{"0s 374 44", "1s 396 109", "4.0000001s 879 1"}},
		"later":    {azureLater, FormatAzure, []string{"0s 2162 5", "500ms 2399 6"}},
		"burstgpt": {burstTrace, FormatBurstGPT, []string{"0s 906 446", "1.5s 36 1"}},
		"mooncake": {mooncakeTrace, FormatMooncake, []string{"0s 1100 500", "0s 600 490", "3.052s 1100 794", "6.0005s 40 3"}},
		"bom":      {"\ufeff" + azureTrace, FormatAzure, []string{"0s 374 44", "1s 396 109", "4.0000001s 879 1"}},
	} {
		for _, format := range []string{"", FormatAuto, tc.format} {
			p := opened(t, tc.text, func(f *TraceFile) { f.Format = format })
			assert.Equal(t, tc.want, told(p), name)
			assert.Equal(t, tc.format, p.TraceInfo().Format)
			assert.Len(t, p.Arrivals.Trace.SHA256, 64)
		}
	}
}

func TestTraceWindow(t *testing.T) {
	text := "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	start := time.Date(2024, 5, 10, 0, 0, 0, 0, time.UTC)
	for i := range 1000 {
		text += fmt.Sprintf("%s,%d,%d\n", start.Add(time.Duration(i)*time.Second).Format("2006-01-02 15:04:05.0000000"), i+1, 7)
	}
	p := opened(t, text, nil)
	assert.Len(t, slices.Collect(p.All()), 100, "as many as fit 100 s")
	assert.InDelta(t, 1, p.MeanRate(), 0)
	assert.InDelta(t, 1, p.PeakRate(), 0)

	p = opened(t, text, func(f *TraceFile) { f.Speed, f.From = 4, 300*time.Second })
	all := slices.Collect(p.All())
	assert.Len(t, all, 400)
	assert.Equal(t, 301, all[0].Prompt)
	assert.Equal(t, 250*time.Millisecond, all[1].Due)
	assert.InDelta(t, 4, p.PeakRate(), 0)
	assert.InDelta(t, 40, p.Expected(10*time.Second, 20*time.Second), 0)

	p = opened(t, text, func(f *TraceFile) { f.Speed, f.Limit = 0.5, 20 })
	all = slices.Collect(p.All())
	assert.Len(t, all, 20)
	assert.Equal(t, 38*time.Second, all[19].Due)
	info := p.TraceInfo()
	assert.Equal(t, 38*time.Second, info.Last)
	assert.InDelta(t, 0.5, info.Rate, 1e-9)
	assert.InDelta(t, 0, info.CV, 1e-6)
	assert.Equal(t, Quantiles{Mean: 10.5, P50: 10, P90: 18, P99: 20}, info.Prompt)
	assert.InDelta(t, 10.5, p.Prompt.Mean, 0)
	assert.InDelta(t, 7, p.Output.Mean, 0)
}

func TestTraceJitterSpreadsBatches(t *testing.T) {
	var text strings.Builder
	for i := range 900 {
		fmt.Fprintf(&text, `{"timestamp": %d, "input_length": %d, "output_length": 5}`+"\n", i/30*3000, i+1)
	}
	at := func(p Plan) (dues []time.Duration) {
		for a := range p.All() {
			dues = append(dues, a.Due)
		}
		return dues
	}
	exact := opened(t, text.String(), nil)
	assert.Greater(t, exact.TraceInfo().CV, 5.0, "batches as they are")
	p := opened(t, text.String(), func(f *TraceFile) { f.Jitter = 3 * time.Second })
	dues := at(p)
	require.Len(t, dues, 900)
	assert.True(t, slices.IsSorted(dues))
	assert.InDelta(t, 1, p.TraceInfo().CV, 0.15, "spread they look like Poisson")
	q := p.WithSeed(9)
	assert.NotEqual(t, dues, at(q), "by seed")
	assert.Equal(t, dues, at(p), "the other plan is left alone")
	assert.Equal(t, dues, at(q.WithSeed(p.Seed)))
	for a := range p.All() {
		batch := time.Duration((a.Prompt-1)/30) * 3 * time.Second
		require.GreaterOrEqual(t, a.Due, batch)
		require.Less(t, a.Due, batch+3*time.Second+1)
	}
}

// A prefix cache must meet what the trace recorded: the same id is the same 512 tokens at the same place.
func TestHashIDsAreSharedText(t *testing.T) {
	p := opened(t, mooncakeTrace, nil)
	all := slices.Collect(p.All())
	words := func(i int) []string {
		text := string(p.AppendPrompt(nil, all[i]))
		require.Equal(t, all[i].Prompt, synth.Count(text))
		return strings.Fields(text)
	}
	common := func(a, b []string) (n int) {
		for n < min(len(a), len(b)) && a[n] == b[n] {
			n++
		}
		return n
	}
	assert.Equal(t, 512, common(words(0), words(1)), "block 0")
	assert.Equal(t, 1024, common(words(0), words(2)), "blocks 0 and 1")
	assert.Zero(t, common(words(0), words(3)), "negative control: no ids, no sharing")
	info := p.TraceInfo()
	assert.Equal(t, 8, info.Blocks)
	assert.InDelta(t, 3.0/8, info.Reused, 1e-9)
	q := p.WithSeed(8)
	assert.NotEqual(t, string(p.AppendPrompt(nil, all[0])), string(q.AppendPrompt(nil, all[0])), "another run is not served from its cache")
}

func TestWrongTraces(t *testing.T) {
	header := "TIMESTAMP,ContextTokens,GeneratedTokens\n"
	at := "2023-11-16 18:15:46.68,"
	for want, text := range map[string]string{
		`:1: "time,tokens" is not the first line of any known trace: begin with`:                   "time,tokens\n1,2\n",
		`:2: column TIMESTAMP is "yesterday": write it as 2023`:                                    header + "yesterday,1,2\n",
		`:2: column ContextTokens is "-1": write a whole number from 0 to 1048576`:                 header + at + "-1,2\n",
		`:3: column GeneratedTokens is "many"`:                                                     header + at + "1,2\n" + at + "1,many\n",
		`:2: there are 2 columns and the header has 3 or more: complete`:                           header + at + "1\n",
		`:3: the request is 1s before the one above it: sort the file by time`:                     header + at + "1,1\n2023-11-16 18:15:45.68,1,1\n",
		`: holds no request to replay (0 were read)`:                                               header,
		`:2: column Timestamp is "1e300": write seconds`:                                           "Timestamp,Request tokens,Response tokens\n1e300,1,1\n",
		`:2: column Timestamp is "NaN"`:                                                            "Timestamp,Request tokens,Response tokens\nNaN,1,1\n",
		`:1: the line is not the JSON of a request`:                                                `{"timestamp": "now"}`,
		`:1: timestamp, input_length or output_length is missing: complete the line, or remove it`: `{"timestamp": 1}`,
		`:1: timestamp is -1: write milliseconds`:                                                  `{"timestamp": -1, "input_length": 1, "output_length": 1}`,
		`:1: input_length is 2000000`:                                                              `{"timestamp": 1, "input_length": 2000000, "output_length": 1}`,
		`:1: something follows the object: write one object a line`:                                `{"timestamp": 1, "input_length": 1, "output_length": 1} {}`,
		`:2: the line is longer than`:                                                              header + strings.Repeat("x", maxTraceLine+1),
	} {
		p := plan(Replay, 0)
		p.Arrivals.Trace = traceFile(t, text)
		err := p.Open()
		require.ErrorContains(t, err, p.Arrivals.Trace.File+want)
		assert.Nil(t, p.trace)
	}

	p := plan(Replay, 0)
	p.Arrivals.Trace = traceFile(t, header+strings.Repeat("wrong,1,2\n", 100))
	err := p.Open()
	problems, ok := errors.AsType[*TraceProblems](err)
	require.True(t, ok)
	assert.Len(t, problems.List, maxTraceBad, "the first ones")
	assert.Equal(t, 100-maxTraceBad, problems.More)
	require.ErrorContains(t, err, "and 80 more like these")

	p.Arrivals.Trace = traceFile(t, azureTrace)
	p.Arrivals.Trace.Format = FormatMooncake
	require.ErrorContains(t, p.Open(), "is not the first line of mooncake")
	p.Arrivals.Trace = &TraceFile{File: t.TempDir()}
	require.ErrorContains(t, p.Open(), "is no regular file")
	p.Arrivals.Trace = &TraceFile{File: filepath.Join(t.TempDir(), "none.csv")}
	require.ErrorContains(t, p.Open(), "none.csv: cannot be opened: no such file")
}

func TestAChangedTraceIsRefused(t *testing.T) {
	p := opened(t, azureTrace, nil)
	child := plan(Replay, 0)
	file := *p.Arrivals.Trace
	child.Arrivals.Trace = &file
	require.NoError(t, child.Open())
	assert.Equal(t, told(p), told(child))
	// Even behind what is replayed: the digest is of the whole file.
	require.NoError(t, os.WriteFile(file.File, []byte(azureTrace+"2023-11-17 18:15:50.68,1,1\n"), 0o600))
	require.ErrorContains(t, child.Open(), "it changed since")
}

// Whatever the bytes, reading ends, and what it takes is a plan's worth of requests in order.
func FuzzTrace(f *testing.F) {
	for _, text := range []string{azureTrace, azureLater, burstTrace, mooncakeTrace, "", "{", "TIMESTAMP,ContextTokens,GeneratedTokens"} {
		for i := range Formats() {
			f.Add([]byte(text), uint8(i), 1.0, int64(0))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, format uint8, speed float64, from int64) {
		file := &TraceFile{File: "f", Format: Formats()[int(format)%len(Formats())], Speed: speed, From: time.Duration(from)}
		var wrong flaws
		if file.flaws(&wrong); len(wrong) > 0 {
			return
		}
		got, err := readTrace(strings.NewReader(string(data)), file, time.Hour)
		if err != nil {
			problems, ok := errors.AsType[*TraceProblems](err)
			if !ok || len(problems.List) == 0 {
				t.Fatalf("%v", err)
			}
			for _, p := range problems.List {
				if p.What == "" || p.Mend == "" {
					t.Fatalf("%+v", p)
				}
			}
			return
		}
		last := time.Duration(0)
		for _, row := range got.rows {
			if row.due < last || row.due >= time.Hour || row.prompt < 1 || row.prompt > MaxTokens || row.output < 1 || row.output > MaxTokens {
				t.Fatalf("%+v", row)
			}
			last = row.due
		}
	})
}

// Plain lines read as encoding/csv reads them.
func FuzzTraceFields(f *testing.F) {
	f.Add("a,b,c")
	f.Add(" 1 ,\"x\",2.5")
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\"\r\n") || strings.TrimSpace(line) == "" {
			return // quotes are taken off, whatever is in them
		}
		want, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil {
			return
		}
		got := fields([]byte(line))
		for i := range want {
			want[i] = strings.Trim(want[i], " \t")
		}
		assert.Equal(t, want, got)
	})
}
