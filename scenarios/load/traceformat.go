package load

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Formats of traces, as their publishers write them. Columns may come in any order, with others between.
const (
	// FormatAuto is decided by the first line.
	FormatAuto = "auto"
	// FormatAzure is CSV with TIMESTAMP, ContextTokens and GeneratedTokens: the traces of Azure LLM
	// inference of 2023, 2024 and 2025 (github.com/Azure/AzurePublicDataset).
	FormatAzure = "azure"
	// FormatMooncake is JSON lines with timestamp (milliseconds), input_length, output_length and hash_ids
	// (github.com/kvcache-ai/Mooncake, FAST25-release).
	FormatMooncake = "mooncake"
	// FormatBurstGPT is CSV with Timestamp (seconds), "Request tokens" and "Response tokens"
	// (github.com/HPMLL/BurstGPT). An answer of no tokens was a failure.
	FormatBurstGPT = "burstgpt"
)

// Formats are all names of them.
func Formats() []string { return []string{FormatAuto, FormatAzure, FormatMooncake, FormatBurstGPT} }

// format reads lines of its own, or needs a header first.
type format struct {
	name    string
	lines   func([]byte) (recordedRequest, error)
	columns [3]string // time, prompt, output
	at      func(string) (time.Duration, error)
}

func formats() []format {
	return []format{
		{name: FormatAzure, columns: [3]string{"TIMESTAMP", "ContextTokens", "GeneratedTokens"}, at: wallClock},
		{name: FormatBurstGPT, columns: [3]string{"Timestamp", "Request tokens", "Response tokens"}, at: secondsOf},
		{name: FormatMooncake, lines: mooncakeLine},
	}
}

// recognise finds the format by the first line, and a CSV's reader of lines.
func recognise(first []byte, wanted string) (format, func([]byte) (recordedRequest, error), error) {
	names := fields(first)
	for _, f := range formats() {
		if wanted != "" && wanted != FormatAuto && wanted != f.name {
			continue
		}
		if f.lines != nil {
			if first[0] == '{' {
				return f, nil, nil
			}
			continue
		}
		places, most := [3]int{-1, -1, -1}, 0
		for i, want := range f.columns {
			for j, name := range names {
				if name == want {
					places[i], most = j, max(most, j)
				}
			}
		}
		if min(places[0], places[1], places[2]) >= 0 {
			return f, f.csv(places, most), nil
		}
	}
	mend := "begin with a header of TIMESTAMP,ContextTokens,GeneratedTokens (azure) or of Timestamp, Request tokens and Response tokens (burstgpt), or write JSON lines (mooncake)"
	if wanted == "" || wanted == FormatAuto {
		wanted = "any known trace"
	}
	return format{}, nil, fmt.Errorf("%.60q is not the first line of %s: %s", first, wanted, mend)
}

func fields(line []byte) []string {
	parts := strings.Split(string(line), ",")
	for i, p := range parts {
		parts[i] = strings.Trim(p, "\" \t")
	}
	return parts
}

func (f format) csv(places [3]int, most int) func([]byte) (recordedRequest, error) {
	return func(line []byte) (recordedRequest, error) {
		got := fields(line)
		if len(got) <= most {
			return recordedRequest{}, fmt.Errorf("there are %d columns and the header has %d or more: complete the line, or remove it", len(got), most+1)
		}
		var r recordedRequest
		var err error
		if r.at, err = f.at(got[places[0]]); err != nil {
			return r, err
		}
		if r.prompt, err = tokensOf(f.columns[1], got[places[1]]); err != nil {
			return r, err
		}
		r.output, err = tokensOf(f.columns[2], got[places[2]])
		return r, err
	}
}

func tokensOf(name, text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > MaxTokens {
		return 0, fmt.Errorf("column %s is %.40q: write a whole number from 0 to %d", name, text, MaxTokens)
	}
	return n, nil
}

// wallClock reads "2023-11-16 18:15:46.6805900", with a zone or without.
func wallClock(text string) (time.Duration, error) {
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, text); err == nil && at.Year() >= 1970 && at.Year() < 2200 {
			return time.Duration(at.UnixNano()), nil
		}
	}
	return 0, fmt.Errorf("column TIMESTAMP is %.40q: write it as 2023-11-16 18:15:46.68", text)
}

func secondsOf(text string) (time.Duration, error) {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s >= 0 && s <= maxTraceTime.Seconds()) {
		return 0, fmt.Errorf("column Timestamp is %.40q: write seconds, from 0 to %g", text, maxTraceTime.Seconds())
	}
	return time.Duration(math.Round(s * 1e9)), nil
}

func mooncakeLine(line []byte) (recordedRequest, error) {
	var in struct {
		Timestamp *float64 `json:"timestamp"`
		Input     *int64   `json:"input_length"`
		Output    *int64   `json:"output_length"`
		HashIDs   []uint64 `json:"hash_ids"`
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	if err := dec.Decode(&in); err != nil {
		return recordedRequest{}, fmt.Errorf("%s: write one object a line, as {\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}", jsonReason(err))
	}
	if dec.More() {
		return recordedRequest{}, errors.New("something follows the object: write one object a line")
	}
	if in.Timestamp == nil || in.Input == nil || in.Output == nil {
		return recordedRequest{}, errors.New("timestamp, input_length or output_length is missing: complete the line, or remove it")
	}
	if ms := *in.Timestamp; !(ms >= 0 && ms <= maxTraceTime.Seconds()*1e3) {
		return recordedRequest{}, fmt.Errorf("timestamp is %g: write milliseconds, from 0 to %g", ms, maxTraceTime.Seconds()*1e3)
	}
	for name, n := range map[string]int64{"input_length": *in.Input, "output_length": *in.Output} {
		if n < 0 || n > MaxTokens {
			return recordedRequest{}, fmt.Errorf("%s is %d: write a whole number from 0 to %d", name, n, MaxTokens)
		}
	}
	return recordedRequest{at: time.Duration(math.Round(*in.Timestamp * 1e6)), prompt: *in.Input, output: *in.Output, blocks: in.HashIDs}, nil
}

// jsonReason is a decoder's error without its colons, which separate what is wrong from the mend.
func jsonReason(err error) string {
	return "the line is not the JSON of a request (" + strings.ReplaceAll(err.Error(), ": ", ", ") + ")"
}
