package output

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// Until time zero there is no phase yet: where the client is calibrated, that is what goes on.
func TestProgressNamesTheCalibration(t *testing.T) {
	for calibrate, before := range map[bool]string{true: "calibrating the client", false: "warmup"} {
		s := session.NewRegistry().Open("r", nil)
		s.Expect(&load.ArrivalsOptions{Calibrate: calibrate, Plan: load.Plan{Duration: time.Minute},
			Phases: []load.PhaseMark{{Name: "warmup"}, {Name: "all", At: 2 * time.Second}}})
		p := &progress{session: s}
		assert.Equal(t, before, p.line(s.Clock.Now()).Phase)
		start := s.Start(s.Clock.Now())
		assert.Equal(t, "warmup", p.line(start.Add(time.Second)).Phase)
		l := p.line(start.Add(3 * time.Second))
		assert.Equal(t, load.Progress{At: 3 * time.Second, Total: time.Minute, Phase: "all"}, l)
	}
}
