// Package baseline is the file that a comparison's first side is kept in, version 1, and how any path a user
// may name becomes a side: a baseline file, a result.json, a run's directory, a series of runs.
//
// A baseline is made for committing: one file for a scenario and a kind of machine, one line for each list
// of numbers, trials in the order of their start.
//
// What may not live here: comparing (compare), running.
package baseline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/brownout-dev/brownout/internal/jsonfile"
	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
)

// Version is the format's name, the first field of every file.
const Version = "brownout.baseline/v1"

// MaxBytes bounds a baseline file.
const MaxBytes = 32 << 20

// DefaultDir is where baselines live by default, relative to the repository: <scenario>.json inside.
const DefaultDir = ".brownout/baselines"

// File is a baseline as written.
type File struct {
	Version string          `json:"version"`
	Trials  []compare.Trial `json:"trials"`
}

// ErrOtherFormat is returned for a file that is no baseline.
var ErrOtherFormat = errors.New("it is not a baseline")

// Read loads a baseline file. What it returns has at least one trial, and all were asked the same.
func Read(path string) (File, error) {
	text, err := readBounded(path)
	if err != nil {
		return File{}, fmt.Errorf("the baseline cannot be opened: %w; make one with `brownout run SCENARIO --save-baseline %s`", err, path)
	}
	f, err := decode(text)
	if err != nil {
		return File{}, fmt.Errorf("%s is not a usable baseline: %w; make a new one with --save-baseline", path, err)
	}
	return f, nil
}

func decode(text []byte) (File, error) {
	var f File
	var version struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(text, &version); err != nil {
		return f, fmt.Errorf("it is not JSON: %w", err)
	}
	if version.Version != Version {
		return f, fmt.Errorf("%w: its version is %.40q, and this program reads %q", ErrOtherFormat, version.Version, Version)
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, err
	}
	return f, f.check()
}

// check looks at what a comparison relies on: the file may have been edited, or merged by hand.
func (f File) check() error {
	if len(f.Trials) == 0 {
		return errors.New("it has no trials")
	}
	side := compare.Side{Name: "the baseline", Trials: f.Trials}
	if err := compare.Comparable(side, side); err != nil {
		return err
	}
	for _, t := range f.Trials {
		for _, p := range t.Samples.Phases {
			for _, b := range p.Blocks {
				for _, list := range [][]int{b.TTFT, b.TPOT, b.E2E, b.Gaps, {b.Good, b.Failed, b.NoToken, b.Judged - b.Good}} {
					for _, v := range list {
						if v < 0 || v > maxNumber {
							return fmt.Errorf("run %s has %d in second %d of phase %s, where 0 to %d belongs", t.Run, v, b.Second, p.Phase, maxNumber)
						}
					}
				}
			}
		}
	}
	return nil
}

// maxNumber bounds one difference or count: sixteen days in units of 10 µs.
const maxNumber = 1 << 37

// Write puts a baseline into place in one step, its directory included.
func Write(path string, f File) error {
	f.Version = Version
	if err := f.check(); err != nil {
		return fmt.Errorf("the baseline cannot be written: %w", err)
	}
	text, err := json.MarshalIndent(f, "", " ")
	if err != nil {
		return fmt.Errorf("the baseline cannot be written: %w", err)
	}
	text = append(result.Flat(text), '\n')
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("the baseline's directory cannot be made: %w; choose another place", err)
	}
	if err := jsonfile.Replace(path, text); err != nil {
		return fmt.Errorf("the baseline cannot be written: %w; free space or choose another place", err)
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err == nil && len(text) > MaxBytes {
		err = fmt.Errorf("%s is larger than %d MiB", path, MaxBytes>>20)
	}
	return text, err
}

// isBaseline reports whether text says that it is one.
func isBaseline(text []byte) bool {
	return bytes.Contains(text[:min(len(text), 200)], []byte(Version))
}
