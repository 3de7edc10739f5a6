package series

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/brownout-dev/brownout/internal/jsonfile"
)

// FileName is the series file's name inside the series' folder.
const FileName = "series.json"

// MaxBytes bounds a series file: Write makes none larger, Read takes none larger.
const MaxBytes = 16 << 20

//go:embed schema.json
var schemaText []byte

// Schema is the JSON Schema (2020-12) of a series file, for other tools.
func Schema() []byte { return bytes.Clone(schemaText) }

// schemaOnce compiles the embedded schema when the first file is read or written.
var schemaOnce = sync.OnceValues(func() (*jsonschema.Schema, error) { return jsonfile.Compile(schemaText) })

// Write puts s into dir (made if it is missing) as series.json, checked against the schema and in one step.
func Write(dir string, s Series) error {
	text, err := Encode(s)
	if err != nil {
		return fmt.Errorf("the series %s cannot be written: %w", s.Run, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("the folder for the series cannot be made: %w; choose another with --out", err)
	}
	if err := jsonfile.Replace(filepath.Join(dir, FileName), text); err != nil {
		return fmt.Errorf("the series file cannot be written: %w; free space or choose another folder with --out", err)
	}
	return nil
}

// Is reports whether path is a series: its file, or a folder with one.
func Is(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if info.IsDir() {
		_, err := os.Stat(filepath.Join(path, FileName))
		return err == nil
	}
	return filepath.Base(path) == FileName
}

// Read loads a series file, or series.json of the folder at path. What it returns obeys the schema.
func Read(path string) (Series, error) {
	text, path, read, err := jsonfile.Find(path, FileName, MaxBytes)
	switch {
	case err != nil && !read:
		return Series{}, fmt.Errorf("the series file cannot be opened: %w; give a file written by `brownout run --trials`", err)
	case err != nil:
		return Series{}, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	s, err := decode(text)
	if err != nil {
		return Series{}, fmt.Errorf("%s is not a usable series file: %w; make a new one with `brownout run --trials`", path, err)
	}
	return s, nil
}

// Encode is the series as its file has it.
func Encode(s Series) ([]byte, error) {
	if s.Version == "" {
		s.Version = Version
	}
	plain, err := jsonfile.Normal(s)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(plain, "", "  ")
	if err != nil {
		return nil, err
	}
	text = append(text, '\n')
	if _, err := decode(text); err != nil { // what Read would refuse is refused here
		return nil, err
	}
	return text, nil
}

func decode(text []byte) (Series, error) {
	schema, err := schemaOnce()
	if err != nil {
		return Series{}, fmt.Errorf("the built-in schema does not compile: %w", err)
	}
	if err := jsonfile.Check(text, MaxBytes, Version, schema); err != nil {
		return Series{}, err
	}
	var s Series
	if err := json.Unmarshal(text, &s); err != nil {
		return Series{}, err
	}
	for i := range s.Variants {
		for _, t := range s.Variants[i].Trials {
			if err := inside(t); err != nil {
				return Series{}, err
			}
		}
	}
	return s, nil
}

// inside refuses directories that lead out of the series: reports link to them.
func inside(t Trial) error {
	dirs := append(make([]string, 0, 1+len(t.Repeated)), t.Dir)
	for _, r := range t.Repeated {
		dirs = append(dirs, r.Dir)
	}
	for _, dir := range dirs {
		if !filepath.IsLocal(dir) || strings.ContainsAny(dir, `\:`) {
			return fmt.Errorf("the directory %.80q of trial %d is not below the series", dir, t.Number)
		}
	}
	return nil
}
