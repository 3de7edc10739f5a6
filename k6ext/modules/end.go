package modules

import (
	"fmt"

	"go.k6.io/k6/v2/js/modules"

	"github.com/brownout-dev/brownout/k6ext/sample"
	"github.com/brownout-dev/brownout/k6ext/session"
)

// testEnd is event.TestEnd, whose package k6 keeps to itself. k6 emits it after teardown and waits
// for those who listen before it closes the channel of samples: the last moment at which samples
// still reach the thresholds. An output's Stop is too late.
const testEnd = 3

// watchEnd ends the test for everything of ours when k6 does.
func watchEnd(vu modules.VU, test *session.Test, m *sample.Metrics) {
	events := vu.Events().Global
	if events == nil { // a runtime that is no test
		return
	}
	log := vu.InitEnv().Logger
	_, ended := events.Subscribe(testEnd)
	go func() {
		e, ok := <-ended
		if !ok { // k6 ends without having run a test
			return
		}
		defer e.Done()
		if word := fmt.Sprint(e.Type); word != "TestEnd" {
			log.Errorf("this k6 has another order of events (%s where TestEnd was due): the recovery metrics are missing", word)
			return
		}
		test.End(m)
	}()
}
