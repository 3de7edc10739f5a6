// Package build says which build this is. What may not live here: anything that changes at run time.
package build

import (
	"fmt"
	"runtime"
)

// Version is the release this tree leads to.
const Version = "0.1.0"

// Commit is set by the linker (-X); "unknown" in a plain go build.
var Commit = "unknown" //nolint:gochecknoglobals // -X can only set a package variable

// String is the version as reports print it: "brownout 0.1.0 (abc1234, go1.26.8 linux/amd64)".
func String() string {
	return fmt.Sprintf("brownout %s (%s, %s %s/%s)", Version, Commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
