package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
)

// Names of the reports beside result.json.
const (
	htmlName     = "report.html"
	markdownName = "report.md"
	junitName    = "junit.xml"
)

// writeReports puts every report into the run's directory.
func writeReports(dir string, r result.Result) error {
	return errors.Join(
		writeReport(filepath.Join(dir, htmlName), r, render.HTML),
		writeReport(filepath.Join(dir, markdownName), r, render.Markdown),
		writeReport(filepath.Join(dir, junitName), r, render.JUnit),
	)
}

func writeReport(path string, r result.Result, draw func(io.Writer, result.Result) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return errors.Join(draw(file, r), file.Close())
}

// writeJSON prints a result as result.json has it.
func writeJSON(w io.Writer, r result.Result) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}
