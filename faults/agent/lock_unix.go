//go:build linux || darwin

package agent

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile holds until the file is closed, by the end of the process at the latest.
func lockFile(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}
