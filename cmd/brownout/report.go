package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/series"
)

func reportCommand() *cobra.Command {
	var html, format string
	c := &cobra.Command{
		Use: "report RUN", Short: "Show a finished run or series again, from its directory or file", Args: cobra.ExactArgs(1),
		Long: `Show a finished run again. The default, --format terminal, also writes its HTML report anew; the other
formats only print to stdout. The exit code is the run's: 0 pass, 99 fail, 3 unknown; 1 when there is
no result to show.`,
		Example: `  brownout report brownout-out/20261121T114801-gpu-oom-7f3a
  brownout report brownout-out/20261121T114801-gpu-oom-91bc        a series, as run --trials leaves it
  brownout report result.json --html /tmp/report.html
  brownout report brownout-out/20261121T114801-gpu-oom-7f3a --format markdown | gh pr comment --body-file -`,
		RunE: func(c *cobra.Command, args []string) error {
			if format != "terminal" && html != "" {
				return errors.New("--html belongs to --format terminal; redirect stdout instead")
			}
			if series.Is(args[0]) {
				return reportSeries(c.OutOrStdout(), args[0], format, html)
			}
			r, err := result.Read(args[0])
			if err != nil {
				return err
			}
			if format != "terminal" {
				return show(c.OutOrStdout(), r, format, args[0])
			}
			if html == "" {
				html = filepath.Join(directory(args[0]), htmlName)
			}
			if err := writeReport(html, r, render.HTML); err != nil {
				return err
			}
			return errors.Join(render.Terminal(c.OutOrStdout(), r, terminalOptions(os.Stdout, html)), codeOf(r))
		},
	}
	c.Flags().StringVar(&html, "html", "", "where to write the HTML report (default: beside result.json)")
	c.Flags().StringVar(&format, "format", "terminal", "terminal, html, junit, markdown or json")
	return c
}

// directory is where the files of a run lie that is named by its directory or by its result.
func directory(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

func show(w io.Writer, r result.Result, format, path string) error {
	formats := map[string]func(io.Writer, result.Result) error{
		"html": render.HTML, "junit": render.JUnit, "markdown": render.Markdown,
		// The file as it is: the server's own state has numbers that a decoded copy would round.
		"json": func(w io.Writer, _ result.Result) error { return copyResult(w, path) },
	}
	draw, ok := formats[format]
	if !ok {
		return fmt.Errorf("--format %q is not known; write terminal, html, junit, markdown or json", format)
	}
	return errors.Join(draw(w, r), codeOf(r))
}

func copyResult(w io.Writer, path string) error {
	if directory(path) == path {
		path = filepath.Join(path, result.FileName)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the result file cannot be read: %w", err)
	}
	_, err = w.Write(text)
	return err
}

// isTTY reports whether f is a terminal that may show colour and rewrite lines.
func isTTY(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb" && f.Name() != os.DevNull
}

func terminalOptions(out *os.File, html string) render.TerminalOptions {
	return render.TerminalOptions{Color: isTTY(out) && os.Getenv("NO_COLOR") == "", Width: 80, Report: html}
}

func fmtSeconds(s float64) string {
	if s >= 1 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}
