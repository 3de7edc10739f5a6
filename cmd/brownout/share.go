package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/reports/saturation"
	"github.com/brownout-dev/brownout/scenarios/spec"
	"github.com/brownout-dev/brownout/scenarios/target"
)

// shareFlags say what a target bears, for rates that are written as a share of it.
type shareFlags struct{ rate, file string }

func (f *shareFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.rate, "saturation", "", "what the target bears, e.g. 250/s, for a rate written as a share")
	c.Flags().StringVar(&f.file, "saturation-file", "", "the same from a saturation.json of brownout saturate")
	c.MarkFlagsMutuallyExclusive("saturation", "saturation-file")
}

// resolve turns a share into a rate: by the flags, or by the timing model of the scenario's own server.
func (f shareFlags) resolve(s *spec.Spec, foreign bool) (*spec.Spec, error) {
	if s.Share == 0 {
		if f.rate != "" || f.file != "" {
			return nil, fmt.Errorf("scenario %s sends %g requests/s, whatever its target bears; --saturation is for a rate written as a share, such as --set load.arrivals.rate=60%%", s.Name, s.Load.Arrivals.Rate)
		}
		return s, nil
	}
	bears, err := f.saturation(s, foreign)
	if err != nil {
		return nil, err
	}
	return s.At(bears)
}

func (f shareFlags) saturation(s *spec.Spec, foreign bool) (float64, error) {
	switch {
	case f.rate != "":
		r, err := target.ParseMaxRate(f.rate)
		if err != nil {
			return 0, fmt.Errorf("--saturation %q is not a rate; write for example 250/s", f.rate)
		}
		return r, nil
	case f.file != "":
		return f.measured(s)
	case foreign:
		return 0, fmt.Errorf("scenario %s sends %s of saturation, and nobody knows what --target bears; measure it with brownout saturate --target URL --save saturation.json and give --saturation-file saturation.json, or say it with --saturation 250/s", s.Name, s.ShareText())
	}
	if bears := explainInfo(s).Saturation; bears > 0 {
		return bears, nil
	}
	if _, err := targetConfig(s.Target); err != nil {
		return 0, err
	}
	return 0, errors.New("the timing model has no rate for requests of these lengths; say it with --saturation 250/s")
}

// measured takes the number of a search, if its requests were like these.
func (f shareFlags) measured(s *spec.Spec) (float64, error) {
	found, err := saturation.Read(f.file)
	if err != nil {
		return 0, err
	}
	if p, o := s.Load.Prompt.Mean, s.Load.Output.Mean; found.Load.PromptMean != p || found.Load.OutputMean != o {
		return 0, fmt.Errorf("%s was measured with requests of %g/%g tokens, and scenario %s sends %g/%g; measure again with brownout saturate and that scenario",
			f.file, found.Load.PromptMean, found.Load.OutputMean, s.Name, p, o)
	}
	bears, err := found.Usable()
	if err != nil {
		return 0, fmt.Errorf("%s: %w", f.file, err)
	}
	return bears, nil
}
