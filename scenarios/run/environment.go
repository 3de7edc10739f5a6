package run

import (
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/brownout-dev/brownout/internal/build"
)

// environment says on what machine the numbers were made: two results compare only if it agrees.
func environment() map[string]string {
	env := map[string]string{
		"tool":       build.String(),
		"go":         runtime.Version(),
		"os":         runtime.GOOS + "/" + runtime.GOARCH,
		"cpus":       strconv.Itoa(runtime.NumCPU()),
		"gomaxprocs": strconv.Itoa(runtime.GOMAXPROCS(0)),
	}
	for key, file := range map[string]string{"kernel": "/proc/sys/kernel/osrelease", "loadavg": "/proc/loadavg"} {
		if data, err := os.ReadFile(file); err == nil {
			env[key] = strings.TrimSpace(string(data))
		}
	}
	if cpu := field("/proc/cpuinfo", "model name"); cpu != "" {
		env["cpu"] = cpu
	}
	if mem := field("/proc/meminfo", "MemTotal"); mem != "" {
		env["memory"] = mem
	}
	return env
}

// field is the value of the first "name : value" line of a /proc file.
func field(file, name string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}
