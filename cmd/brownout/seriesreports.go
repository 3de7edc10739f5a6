package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/series"
)

// writeSeriesReports puts every report into the series' directory.
func writeSeriesReports(dir string, s series.Series) error {
	return errors.Join(
		writeSeriesReport(filepath.Join(dir, htmlName), s, render.SeriesHTML),
		writeSeriesReport(filepath.Join(dir, markdownName), s, render.SeriesMarkdown),
		writeSeriesReport(filepath.Join(dir, junitName), s, render.SeriesJUnit),
	)
}

func writeSeriesReport(path string, s series.Series, draw func(io.Writer, series.Series) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return errors.Join(draw(file, s), file.Close())
}

// reportSeries shows a finished series again.
func reportSeries(w io.Writer, path, format, html string) error {
	s, err := series.Read(path)
	if err != nil {
		return err
	}
	formats := map[string]func(io.Writer, series.Series) error{
		"html": render.SeriesHTML, "junit": render.SeriesJUnit, "markdown": render.SeriesMarkdown,
		"json": func(w io.Writer, s series.Series) error {
			text, err := series.Encode(s)
			if err != nil {
				return err
			}
			_, err = w.Write(text)
			return err
		},
		"terminal": func(w io.Writer, s series.Series) error {
			if html == "" {
				html = filepath.Join(directory(path), htmlName)
			}
			return errors.Join(writeSeriesReport(html, s, render.SeriesHTML), render.SeriesTerminal(w, s, terminalOptions(os.Stdout, html)))
		},
	}
	draw, ok := formats[format]
	if !ok {
		return fmt.Errorf("--format %q is not known; write terminal, html, junit, markdown or json", format)
	}
	return errors.Join(draw(w, s), codeOfSeries(s))
}
