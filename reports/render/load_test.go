package render

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/reports/result"
)

func TestLoadFact(t *testing.T) {
	for want, l := range map[string]result.LoadInfo{
		"poisson, 130 requests/s planned, 130 delivered":                       {Process: "poisson", Rate: 130, Delivered: 129.6},
		"gamma, 130 requests/s planned on average, 500 at most, 130 delivered": {Process: "gamma", Rate: 130, Peak: 500, Delivered: 130},
		"closed loop of 32 virtual users, 64 requests/s delivered":             {Process: "closed", Concurrency: 32, Rate: 64, Delivered: 64},
		"trace x.csv (SHA-256 0123456789ab…), 5 requests/s planned on average, 9 at most, 5 delivered": {Process: "trace", Rate: 5, Peak: 9, Delivered: 5,
			Trace: &result.TraceInfo{File: "x.csv", SHA256: "0123456789abcdef"}},
	} {
		assert.Equal(t, want, loadFact(l))
	}
}
