package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/render"
	"github.com/brownout-dev/brownout/reports/result"
)

func reportCommand() *cobra.Command {
	var html string
	c := &cobra.Command{
		Use: "report RUN", Short: "Show a finished run again, from its directory or result.json", Args: cobra.ExactArgs(1),
		Long: `Show a finished run again and write its HTML report anew. The exit code is the run's.`,
		Example: `  brownout report brownout-out/20261121T114801-gpu-oom-7f3a
  brownout report result.json --html /tmp/report.html`,
		RunE: func(c *cobra.Command, args []string) error {
			path := args[0]
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				path = filepath.Join(path, "result.json")
			}
			r, err := result.Read(path)
			if err != nil {
				return err
			}
			if html == "" {
				html = filepath.Join(filepath.Dir(path), "report.html")
			}
			if err := writeHTML(html, r); err != nil {
				return err
			}
			return errors.Join(render.Terminal(c.OutOrStdout(), r, terminalOptions(os.Stdout, html)), codeOf(r))
		},
	}
	c.Flags().StringVar(&html, "html", "", "where to write the HTML report (default: beside result.json)")
	return c
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
