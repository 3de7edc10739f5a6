//go:build unix

package arrivals

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the process's user and system time so far.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
