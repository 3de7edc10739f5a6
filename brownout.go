// Package brownout lets xk6 build a k6 with brownout's executors, output and module:
//
//	xk6 build v2.2.0 --with github.com/brownout-dev/brownout
//
// What may not live here: anything else. The command is cmd/brownout.
package brownout

import _ "github.com/brownout-dev/brownout/k6ext" // registers everything with k6
