//go:build unix

package doctor

import (
	"path/filepath"
	"syscall"
)

// free is the space an ordinary user has where dir is or will be made.
func free(dir string) (uint64, bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return 0, false
	}
	for {
		var st syscall.Statfs_t
		if err := syscall.Statfs(dir, &st); err == nil {
			return st.Bavail * uint64(st.Bsize), true //nolint:gosec // a block size is positive
		}
		up := filepath.Dir(dir)
		if up == dir {
			return 0, false
		}
		dir = up
	}
}
