package slo

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/internal/event"
)

func TestUnusedTargets(t *testing.T) {
	const second = event.Time(time.Second)
	for name, tc := range map[string]struct {
		change func(in *Input)
		unused int
		known  bool
	}{
		"nobody says who serves": {func(*Input) {}, 0, false},
		"all served by it":       {func(in *Input) { serve(in, "n2/g1", 0, 1000) }, 0, true},
		"a node serves by its GPUs": {func(in *Input) {
			serve(in, "n2/g1", 0, 1000)
			in.Faults[0].Targets = []string{"n2"}
		}, 0, true},
		"a longer name is another": {func(in *Input) { serve(in, "n2/g10", 0, 1000) }, 1, true},
		"all served by others":     {func(in *Input) { serve(in, "n1/g0", 0, 1000) }, 1, true},
		"its last answer was long ago": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			serve(in, "n2/g1", 20, 28) // the fault comes at 40 s
		}, 1, true},
		"its last answer was just before": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			serve(in, "n2/g1", 31, 33)
		}, 0, true},
		"served after it was cleared": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			serve(in, "n2/g1", 55, 60)
		}, 1, true},
		"taken away from it": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			in.Events = append(in.Events, event.Event{At: in.Start + 41*second, Kind: event.RequestResumed, Target: "n2/g1/llama", Request: "b-1"})
		}, 0, true},
		"a fault on no place that serves": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			in.Faults[0].Serving = false
		}, 0, false},
		"never took effect": {func(in *Input) {
			serve(in, "n1/g0", 0, 1000)
			in.Faults[0].Effective = 0
		}, 0, false},
	} {
		h := newHistory(10, 80)
		h.fault(40, 50)
		h.in.Faults[0].Serving = true
		tc.change(&h.in)
		n, known := newJudge(h.in).unused()
		assert.Equal(t, tc.unused, n, name)
		assert.Equal(t, tc.known, known, name)
	}
}

// serve says who answered the requests that were due from one second to another.
func serve(in *Input, node string, from, to int) {
	for i := range in.Records {
		at := in.Records[i].Due.Sub(in.Start)
		if at >= time.Duration(from)*time.Second && at < time.Duration(to)*time.Second {
			in.Records[i].Node = node
		}
	}
}
