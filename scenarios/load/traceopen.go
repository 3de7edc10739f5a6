package load

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Bounds of a trace.
const (
	MaxTraceBytes  = 1 << 30
	MaxTraceRows   = 2_000_000  // that one plan replays
	maxTraceBlocks = 20_000_000 // hash ids of them: 160 MB
	maxTraceLine   = 4 << 20
	maxTraceBad    = 20 // problems that are told one by one
	maxTraceTime   = time.Duration(1e9) * time.Second
)

// TraceProblem is one thing that is wrong with a trace. Line is 0 where it is the file as a whole.
type TraceProblem struct {
	File string
	Line int
	What string
	Mend string
}

// Error is one sentence: where, what, and how to mend it.
func (p TraceProblem) Error() string {
	at := p.File
	if p.Line > 0 {
		at = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s: %s: %s", at, p.What, p.Mend)
}

// TraceProblems are the first twenty things that are wrong, and how many more there are.
type TraceProblems struct {
	List []TraceProblem
	More int
}

// Error is one line a problem.
func (ps *TraceProblems) Error() string {
	lines := make([]string, 0, len(ps.List)+1)
	for _, p := range ps.List {
		lines = append(lines, p.Error())
	}
	if ps.More > 0 {
		lines = append(lines, fmt.Sprintf("and %d more like these", ps.More))
	}
	return strings.Join(lines, "\n")
}

func (ps *TraceProblems) add(p TraceProblem) {
	if len(ps.List) < maxTraceBad {
		ps.List = append(ps.List, p)
	} else {
		ps.More++
	}
}

// Open reads the plan's trace, if it has one, and fills in its SHA-256 and the mean lengths. The plan
// must be valid. The error is *TraceProblems where the file is what is wrong.
func (p *Plan) Open() error {
	if p.Arrivals.Process != Replay {
		return nil
	}
	file := *p.Arrivals.Trace
	whole := func(what, mend string) error {
		return &TraceProblems{List: []TraceProblem{{File: file.File, What: what, Mend: mend}}}
	}
	info, err := os.Stat(file.File)
	switch {
	case err != nil:
		return whole("cannot be opened: "+reason(err), "correct load.arrivals.trace.file; brownout brings no trace along, see docs/load.md for where they are")
	case !info.Mode().IsRegular():
		return whole("is no regular file", "name a CSV or JSON lines file")
	case info.Size() > MaxTraceBytes:
		return whole(fmt.Sprintf("has %d bytes, and at most %d are read", info.Size(), MaxTraceBytes), "cut it, for example with head -n 100000")
	}
	in, err := os.Open(file.File)
	if err != nil {
		return whole("cannot be opened: "+reason(err), "make it readable")
	}
	defer in.Close() // it was only read
	hash := sha256.New()
	input := io.TeeReader(io.LimitReader(in, MaxTraceBytes), hash)
	t, err := readTrace(input, &file, p.Duration)
	if err == nil {
		_, err = io.Copy(io.Discard, input) // the digest is of the whole file
	}
	if err != nil {
		if _, ok := errors.AsType[*TraceProblems](err); ok {
			return err
		}
		return whole("cannot be read: "+reason(err), "make it readable")
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	if file.SHA256 != "" && file.SHA256 != sum {
		return whole(fmt.Sprintf("has the SHA-256 %s, but %.64s was planned", sum, file.SHA256), "it changed since: restore it, or plan the run again")
	}
	file.SHA256 = sum
	p.Arrivals.Trace = &file
	p.setTrace(t)
	got := p.TraceInfo()
	p.Prompt, p.Output = Length{Dist: Fixed, Mean: got.Prompt.Mean}, Length{Dist: Fixed, Mean: got.Output.Mean}
	return nil
}

// reason is an I/O error without the path, which the sentence around it has.
func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Err.Error()
	}
	return err.Error()
}

// recordedRequest is one line of a trace, whatever its format.
type recordedRequest struct {
	at             time.Duration // from an origin of the trace's own
	prompt, output int64
	blocks         []uint64
}

// readTrace reads up to the last request that is due before until. What lies behind is not looked at.
func readTrace(r io.Reader, file *TraceFile, until time.Duration) (*trace, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxTraceLine)
	var wrong TraceProblems
	t := &trace{}
	t.exact = t
	var parse func(line []byte) (recordedRequest, error)
	var zero, last time.Duration
	speed, limit := file.Speed, file.Limit
	if speed == 0 {
		speed = 1
	}
	number, requests, blocks := 0, 0, 0
	for lines.Scan() {
		number++
		line := bytes.TrimSpace(lines.Bytes())
		if number == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if len(line) == 0 {
			continue
		}
		bad := func(err error) {
			what, mend, _ := strings.Cut(err.Error(), ": ")
			wrong.add(TraceProblem{File: file.File, Line: number, What: what, Mend: mend})
		}
		if parse == nil {
			format, header, err := recognise(line, file.Format)
			if err != nil {
				bad(err)
				return nil, &wrong
			}
			t.format, parse = format.name, format.lines
			if parse == nil {
				parse = header
				continue
			}
		}
		got, err := parse(line)
		if err != nil {
			bad(err)
			continue
		}
		if requests++; requests == 1 {
			zero, last = got.at, got.at
		}
		if got.at < last {
			bad(fmt.Errorf("the request is %v before the one above it: sort the file by time", last-got.at))
			continue
		}
		last = got.at
		due := float64(got.at-zero-file.From) / speed
		if due < 0 {
			continue
		}
		if due >= float64(until) || limit > 0 && len(t.rows) == limit {
			break
		}
		if blocks += len(got.blocks); len(t.rows) == MaxTraceRows || blocks > maxTraceBlocks {
			bad(fmt.Errorf("from here on there are more than %d requests or %d hash ids to replay: write a limit, or replay less of it", MaxTraceRows, maxTraceBlocks))
			break
		}
		t.rows = append(t.rows, traceRow{due: time.Duration(due), prompt: int32(max(1, got.prompt)), output: int32(max(1, got.output)), //nolint:gosec // bounded by MaxTokens
			noAnswer: got.output == 0, blocks: got.blocks})
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		wrong.add(TraceProblem{File: file.File, Line: number + 1, What: fmt.Sprintf("the line is longer than %d bytes", maxTraceLine), Mend: "this is no trace"})
	} else if err != nil {
		return nil, err
	}
	if len(wrong.List) == 0 && len(t.rows) == 0 {
		wrong.add(TraceProblem{File: file.File, What: fmt.Sprintf("holds no request to replay (%d were read)", requests), Mend: "begin earlier in it, or name another file"})
	}
	if len(wrong.List) > 0 {
		return nil, &wrong
	}
	return t, nil
}
