// Package modules is the JavaScript side: k6/x/brownout. Importing it registers brownout's metrics,
// so that a script's thresholds on them validate.
//
// What may not live here: load and faults themselves; those are executors.
package modules

import (
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/js/modules"

	"github.com/brownout-dev/brownout/k6ext/arrivals"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/timeline"
)

// Name is what scripts import.
const Name = "k6/x/brownout"

// Root makes an instance of the module for each VU.
type Root struct{}

var _ modules.Module = Root{}

// Register makes the module known to k6.
func Register() { modules.Register(Name, Root{}) }

// NewModuleInstance implements modules.Module.
func (Root) NewModuleInstance(vu modules.VU) modules.Instance {
	if _, err := sample.Register(vu.InitEnv().Registry); err != nil {
		common.Throw(vu.Runtime(), err)
	}
	return instance{}
}

type instance struct{}

// Exports implements modules.Instance: the executors' names, so that a script need not spell them.
func (instance) Exports() modules.Exports {
	return modules.Exports{Named: map[string]any{"ARRIVALS": arrivals.Type, "TIMELINE": timeline.Type}}
}
