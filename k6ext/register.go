// Package k6ext makes k6 speak brownout: the executors brownout-arrivals and brownout-timeline, the
// output brownout and the module k6/x/brownout. Importing it registers them.
//
// What may not live here: anything but the registration and the registry that ties the parts of one
// test run together inside the process.
package k6ext

import (
	"github.com/brownout-dev/brownout/k6ext/arrivals"
	"github.com/brownout-dev/brownout/k6ext/modules"
	"github.com/brownout-dev/brownout/k6ext/output"
	"github.com/brownout-dev/brownout/k6ext/session"
	"github.com/brownout-dev/brownout/k6ext/timeline"
)

func init() {
	registry := session.NewRegistry()
	modules.Register(registry)
	arrivals.Register(registry)
	timeline.Register(registry)
	output.Register(registry)
}
