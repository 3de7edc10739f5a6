package arrivals

import (
	"fmt"
	"math/big"
	"strings"

	"go.k6.io/k6/v2/lib"

	"github.com/brownout-dev/brownout/scenarios/load"
)

// shareOf is the share of the plan that k6's execution segment stands for. The boundaries come from
// their exact fractions, so that two neighbours round theirs to the same number.
func shareOf(et *lib.ExecutionTuple) (load.Share, error) {
	if et == nil || et.Segment == nil {
		return load.Whole(), nil
	}
	text := et.Segment.String()
	from, to, ok := strings.Cut(text, ":")
	if !ok {
		return load.Share{}, fmt.Errorf("k6's execution segment %q is not of the form from:to", text)
	}
	var share load.Share
	for _, end := range []struct {
		text string
		to   *float64
	}{{from, &share.From}, {to, &share.To}} {
		r, ok := new(big.Rat).SetString(end.text)
		if !ok {
			return load.Share{}, fmt.Errorf("k6's execution segment %q has a boundary that is no fraction", text)
		}
		*end.to, _ = r.Float64()
	}
	return share, nil
}
