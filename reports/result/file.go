package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/santhosh-tekuri/jsonschema/v6"
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
	if err := Replace(filepath.Join(dir, FileName), text); err != nil {
		return fmt.Errorf("the result file cannot be written: %w; free space or choose another folder with --out", err)
	}
	return nil
}

// Read loads a result file, or result.json of the folder at path. What it returns obeys the schema.
func Read(path string) (Result, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, FileName)
	}
	f, err := os.Open(path)
	if err != nil {
		return Result{}, fmt.Errorf("the result file cannot be opened: %w; give a file written by `brownout run`", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxBytes+1))
	if err != nil {
		return Result{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	r, err := decode(text)
	if err != nil {
		return Result{}, fmt.Errorf("%s is not a usable result file: %w; make a new one with `brownout run`", path, err)
	}
	return r, nil
}

func encode(r Result) ([]byte, error) {
	plain, err := normal("", r)
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
	if len(text) > MaxBytes {
		return Result{}, fmt.Errorf("it is larger than %d MiB", MaxBytes>>20)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			line := 1 + bytes.Count(text[:min(int(syntax.Offset), len(text))], []byte("\n"))
			return Result{}, fmt.Errorf("line %d is not JSON: %w", line, err)
		}
		return Result{}, fmt.Errorf("it is not JSON: %w", err)
	}
	// The version comes first: of a file from another version nothing else need fit.
	if top, ok := doc.(map[string]any); ok && top["version"] != nil && top["version"] != Version {
		return Result{}, fmt.Errorf("its version is %.40q, and this program reads %q", fmt.Sprint(top["version"]), Version)
	}
	schema, err := schemaOnce()
	if err != nil {
		return Result{}, fmt.Errorf("the built-in schema does not compile: %w", err)
	}
	if err := validate(schema, doc); err != nil {
		return Result{}, err
	}
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return Result{}, err
	}
	return r, nil
}

// Replace writes a file beside path and renames it over path once its bytes are on disk.
func Replace(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // the first error is the one to report
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
