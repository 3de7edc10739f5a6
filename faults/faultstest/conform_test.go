package faultstest_test

import (
	"testing"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/faultstest"
)

func TestScriptedConforms(t *testing.T) {
	world := map[string]*faultstest.World{}
	faultstest.Conform(t, faultstest.Case{
		Fault: "gpu.oom on gpu=n2/* for 10s",
		New: func(t *testing.T) faults.Driver {
			if world[t.Name()] == nil {
				world[t.Name()] = &faultstest.World{}
			}
			return faultstest.NewScripted(world[t.Name()], faultstest.Script{})
		},
	})
}
