package spec

import (
	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/reports/slo"
	"github.com/brownout-dev/brownout/scenarios/load"
)

// defaults is a file that says nothing. Decoding writes over it.
func defaults() file {
	var f file
	f.Load.Arrivals.Process = string(load.Poisson)
	f.Load.Model = "llama-3.1-8b" // what the preset chat-8b serves
	f.Load.Stream = true
	f.Seed = 1
	std := slo.DefaultSpec()
	f.SLO.Objective, f.SLO.MinBad = yamlx.Share(std.Objective), std.MinBad
	f.SLO.Recovery.Hold, f.SLO.Recovery.Horizon = yamlx.Duration(std.Hold), yamlx.Duration(std.Horizon)
	f.SLO.Budget.Target, f.SLO.Budget.Window = yamlx.Share(std.Budget.Target), days(std.Budget.Window)
	g := &f.SLO.Guards
	g.LagP99, g.DroppedShare = yamlx.Duration(std.Guards.LagP99), yamlx.Share(std.Guards.DroppedShare)
	g.TimerLateP99, g.MaxOffset = yamlx.Duration(std.Guards.TimerLateP99), yamlx.Duration(std.Guards.MaxOffset)
	g.StepLateP99, g.StepLateRel = yamlx.Duration(std.Guards.StepLateP99), yamlx.Share(std.Guards.StepLateRel)
	g.TTFTErrorP99, g.GapErrorP99 = yamlx.Duration(std.Guards.TTFTErrorP99), yamlx.Duration(std.Guards.GapErrorP99)
	g.ErrorRel, g.Headroom = yamlx.Share(std.Guards.ErrorRel), std.Guards.Headroom
	return f
}
