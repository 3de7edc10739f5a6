package spec

import (
	"fmt"
	"math"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// rate is how often a second, "130/s", or a share of the rate at which the target saturates, "60%".
type rate struct {
	yamlx.Rate
	share float64 // 0: written as a rate
}

// maxShare lets a scenario ask for several times what a target bears.
const maxShare = 10

// UnmarshalText reads both forms.
func (r *rate) UnmarshalText(text []byte) error {
	number, percent := strings.CutSuffix(strings.TrimSpace(string(text)), "%")
	if !percent {
		return r.Rate.UnmarshalText(text)
	}
	var f struct{ yamlx.Rate }
	if err := f.UnmarshalText([]byte(strings.TrimSpace(number) + "/s")); err != nil || f.Rate <= 0 || f.Rate > 100*maxShare {
		return yamlx.Wrong{What: fmt.Sprintf("%.80q is not a share of saturation", text), Mend: "write for example 60% (above 0%, at most 1000%)"}
	}
	*r = rate{share: float64(f.Rate) / 100}
	return nil
}

// nominal stands for the saturation of a target that was not measured yet, in requests/s: a scenario must
// be checkable before it has a target. Nothing is ever sent at a rate that was made with it.
const nominal = 100

// resolve turns a share into a rate.
func (r *rate) resolve(saturation float64) {
	if r.share == 0 {
		return
	}
	if saturation <= 0 {
		saturation = nominal
	}
	// Four digits: no target's saturation is known better, and reports stay readable.
	v := r.share * saturation
	unit := math.Pow(10, math.Floor(math.Log10(v))-3)
	r.Rate = yamlx.Rate(math.Round(v/unit) * unit)
	if unit < 1 { // so that 154 is not 154.00000000000003
		r.Rate = yamlx.Rate(math.Round(v/unit) / math.Round(1/unit))
	}
}

// Unresolved reports whether the rate is a share of a saturation that is not known yet. Such a Spec can
// be shown but not run: take the one that At returns.
func (s *Spec) Unresolved() bool { return s.Share > 0 && s.saturation == 0 }

// At is the scenario for a target that saturates at so many requests/s. A scenario whose rate was not
// written as a share is returned as it is. What was written, and so the digest, stays.
func (s *Spec) At(saturation float64) (*Spec, error) {
	if s.Share == 0 {
		return s, nil
	}
	if !(saturation > 0 && saturation <= load.MaxRate) {
		return nil, fmt.Errorf("a saturation of %g/s is out of bounds; measure it with brownout saturate", saturation)
	}
	resolved, err := read(s.File, s.source, s.Set, reading{saturation: saturation, variants: len(s.Variants) > 0})
	if err != nil {
		return nil, fmt.Errorf("%s of a saturation of %.4g/s cannot be run: %w", yamlx.Share(s.Share), saturation, err)
	}
	if s.Seed != resolved.Seed {
		resolved = resolved.WithSeed(s.Seed)
	}
	return resolved, nil
}

// ShareText is the rate as it was written, "60%"; "" when it was written as a rate.
func (s *Spec) ShareText() string {
	if s.Share == 0 {
		return ""
	}
	return yamlx.Share(s.Share).String()
}
