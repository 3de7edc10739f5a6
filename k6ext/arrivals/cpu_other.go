//go:build !unix

package arrivals

import "time"

// cpuTime is not known here.
func cpuTime() time.Duration { return 0 }
