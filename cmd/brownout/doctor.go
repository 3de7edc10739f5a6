package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/doctor"
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/spec"
)

// doctorVersion is the format of doctor --json.
const doctorVersion = "brownout.doctor/v1"

func doctorCommand() *cobra.Command {
	var asJSON bool
	var scenario, out string
	var share shareFlags
	c := &cobra.Command{
		Use: "doctor", Short: "Check whether this machine can give trustworthy verdicts", Args: cobra.NoArgs,
		Long: `Check whether this machine can give trustworthy verdicts: cores, other load, limits, timers, memory, disk.
It takes about three seconds and changes nothing. "warn" means that verdicts may be unknown or that loads
must stay small; "bad" that scenarios cannot run.

Exit codes: 0 ok or warn, 1 bad.`,
		Example: "  brownout doctor\n  brownout doctor --scenario my.yaml --json",
		RunE: func(c *cobra.Command, _ []string) error {
			needs, err := needsOf(scenario, share)
			if err != nil {
				return err
			}
			show := newProgress(os.Stderr, asJSON)
			all := doctor.Examine(c.Context(), doctor.Here(out, needs), show.say)
			worst := doctor.Worst(all)
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				err = enc.Encode(struct {
					Version  string           `json:"version"`
					Level    doctor.Level     `json:"level"`
					Findings []doctor.Finding `json:"findings"`
				}{doctorVersion, worst, all})
			} else {
				err = printFindings(c.OutOrStdout(), all)
			}
			if err == nil && worst == doctor.Bad {
				return exitCode(run.ExitError)
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVar(&scenario, "scenario", "", "check what this scenario needs (default: the built-in ones)")
	c.Flags().StringVarP(&out, "out", "o", "brownout-out", "directory that runs are written to")
	share.add(c)
	return c
}

// needsOf is what a scenario asks of the machine; the zero value without a name.
func needsOf(scenario string, share shareFlags) (doctor.Needs, error) {
	if scenario == "" {
		return doctor.Needs{}, nil
	}
	s, err := loadScenario(scenario, nil)
	if err != nil {
		return doctor.Needs{}, err
	}
	if s, err = share.resolve(s, false); err != nil {
		return doctor.Needs{}, err
	}
	return doctor.Needs{Scenario: s.Name, Rate: s.Load.PeakRate(), InFlight: s.Load.MaxInFlight, Stay: stay(s), Length: s.Length()}, nil
}

// stay is how long one request may be open.
func stay(s *spec.Spec) time.Duration { return min(s.Drain(), s.Client.Total) }

func printFindings(w io.Writer, all []doctor.Finding) error {
	bad, warn := 0, 0
	for _, f := range all {
		limit := ""
		if f.Limit > 0 {
			limit = fmt.Sprintf(" (up to %.0f requests/s)", f.Limit)
		}
		fmt.Fprintf(w, "%-5s %-13s %s%s\n", f.Level, f.Name, f.Found, limit)
		if f.Advice != "" {
			fmt.Fprintf(w, "%-19s → %s\n", "", f.Advice)
		}
		switch f.Level {
		case doctor.Bad:
			bad++
		case doctor.Warn:
			warn++
		case doctor.OK:
		}
	}
	var err error
	switch {
	case bad > 0:
		_, err = fmt.Fprintln(w, "\nScenarios cannot run here; mend what is bad.")
	case warn > 0:
		_, err = fmt.Fprintln(w, "\nScenarios run here, but verdicts may be unknown.")
	default:
		_, err = fmt.Fprintln(w, "\nThis machine can give trustworthy verdicts.")
	}
	return err
}
