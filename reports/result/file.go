package result

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/brownout-dev/brownout/internal/jsonfile"
)

// FileName is the result file's name inside a run's folder.
const FileName = "result.json"

// MaxBytes bounds a result file: Write makes none larger, Read takes none larger.
const MaxBytes = 64 << 20

// Write puts r into dir (made if it is missing) as result.json: indented, checked against the schema,
// and in one step, so that a reader sees the old file, the new one, or none. A missing version is
// filled in, nil lists are written as empty ones, and events beyond MaxEvents are counted in EventsCut.
func Write(dir string, r Result) error {
	if r.Version == "" {
		r.Version = Version
	}
	r.boundEvents(MaxEvents)
	text, err := encode(r)
	if err != nil {
		return fmt.Errorf("the result of run %s cannot be written: %w", r.Run, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for the result cannot be made: %w; choose another with --out", err)
	}
	if err := jsonfile.Replace(filepath.Join(dir, FileName), text); err != nil {
		return fmt.Errorf("the result file cannot be written: %w; free space or choose another folder with --out", err)
	}
	return nil
}

// Read loads a result file, or result.json of the folder at path. What it returns obeys the schema.
func Read(path string) (Result, error) {
	text, path, read, err := jsonfile.Find(path, FileName, MaxBytes)
	switch {
	case err != nil && !read:
		return Result{}, fmt.Errorf("the result file cannot be opened: %w; give a file written by `brownout run`", err)
	case err != nil:
		return Result{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	r, err := decode(text)
	if err != nil {
		return Result{}, fmt.Errorf("%s is not a usable result file: %w; make a new one with `brownout run`", path, err)
	}
	return r, nil
}

func encode(r Result) ([]byte, error) {
	plain, err := jsonfile.Normal(r)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		return nil, err
	}
	text = append(Flat(text), '\n')
	if len(text) > MaxBytes {
		return nil, fmt.Errorf("it has %d bytes, and %d are the limit", len(text), MaxBytes)
	}
	// Whatever Read would refuse is refused here, where the run that made it can still be looked at.
	if _, err := decode(text); err != nil {
		return nil, err
	}
	return text, nil
}

func decode(text []byte) (Result, error) {
	schema, err := schemaOnce()
	if err != nil {
		return Result{}, fmt.Errorf("the built-in schema does not compile: %w", err)
	}
	if err := jsonfile.Check(text, MaxBytes, Version, schema); err != nil {
		return Result{}, err
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return Result{}, err
	}
	return r, nil
}
