// Package modules is the JavaScript side: k6/x/brownout with Client (chats, measured), Faults (the
// fault holder's API) and recovery. Importing it registers brownout's metrics, so that a script's
// thresholds on them validate, and has the recovery metrics sent before k6 judges thresholds.
//
// What may not live here: open-loop load and planned faults, which are executors; measuring and
// judging, which others do for it.
package modules

import (
	"context"
	"os"

	"github.com/sirupsen/logrus"
	"go.k6.io/k6/v2/js/common"
	"go.k6.io/k6/v2/js/modules"

	"github.com/brownout-dev/brownout/k6ext/arrivals"
	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/k6ext/timeline"
)

// Name is what scripts import.
const Name = "k6/x/brownout"

// Root makes an instance of the module for each VU.
type Root struct{ registry *session.Registry }

var _ modules.Module = (*Root)(nil)

// Register makes the module known to k6.
func Register(registry *session.Registry) { modules.Register(Name, &Root{registry: registry}) }

// NewModuleInstance implements modules.Module.
func (r *Root) NewModuleInstance(vu modules.VU) modules.Instance {
	init := vu.InitEnv()
	m, err := sample.Register(init.Registry)
	if err != nil {
		common.Throw(vu.Runtime(), err)
	}
	test, fresh := r.registry.Test(init.Registry)
	if fresh {
		watchEnd(vu, test, m)
	}
	return &instance{vu: vu, test: test, metrics: m, env: init.RuntimeOptions.Env, log: init.Logger}
}

// instance is the module in one VU. Only the VU's goroutine uses it.
type instance struct {
	vu      modules.VU
	test    *session.Test
	metrics *sample.Metrics
	env     map[string]string // of k6's -e and, where allowed, the system; shared, only read
	log     logrus.FieldLogger
}

// Exports implements modules.Instance.
func (i *instance) Exports() modules.Exports {
	return modules.Exports{Named: map[string]any{
		"ARRIVALS": arrivals.Type, "TIMELINE": timeline.Type,
		"Client": i.newClient, "Faults": i.newFaults,
		"recovery": i.recovery, "configureRecovery": i.configureRecovery,
	}}
}

// environment looks a variable up as k6's __ENV would, and in the system.
func (i *instance) environment(name string) (string, bool) {
	if v, ok := i.env[name]; ok {
		return v, true
	}
	return os.LookupEnv(name)
}

// running is the VU's context where a script may act; in the init context there is nothing to act on.
func (i *instance) running(what string) context.Context {
	if i.vu.State() == nil {
		common.Throw(i.vu.Runtime(), errInit(what))
	}
	return i.vu.Context()
}
