package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// perRequest is what an open request costs in both processes together: buffers, goroutines, sockets.
const perRequest = 128 << 10

func (m *Machine) memory() Finding {
	total, free := m.bytes("proc/meminfo", "MemTotal"), m.bytes("proc/meminfo", "MemAvailable")
	if total == 0 {
		return unknown("memory", "memory")
	}
	if text, ok := m.text("sys/fs/cgroup/memory.max"); ok {
		if limit, err := strconv.ParseFloat(text, 64); err == nil && limit < total {
			used, _ := m.text("sys/fs/cgroup/memory.current")
			u, _ := strconv.ParseFloat(used, 64) // 0 when it is no number
			total, free = limit, min(free, limit-u)
		}
	}
	f := Finding{Group: "memory", Name: "memory", Level: OK, Found: fmt.Sprintf("%s free of %s", gib(free), gib(total))}
	need := 512<<20 + float64(m.Needs.InFlight)*perRequest
	switch {
	case free < 256<<20:
		f.Level, f.Advice = Bad, "a server and a load generator do not fit; free at least "+gib(need)
	case free < need:
		f.Level, f.Advice = Warn, fmt.Sprintf("%s may need %s when the target hangs; free some", m.Needs.who(), gib(need))
	}
	return f
}

// collector shows settings of Go's garbage collector that children inherit.
func (m *Machine) collector() Finding {
	f := Finding{Group: "memory", Name: "go collector", Level: OK, Found: "defaults"}
	var set []string
	for _, name := range []string{"GOGC", "GOMEMLIMIT", "GOMAXPROCS", "GODEBUG"} {
		if v := m.Getenv(name); v != "" {
			set = append(set, name+"="+v)
		}
	}
	if len(set) > 0 {
		f.Found = strings.Join(set, " ")
	}
	if n, err := strconv.Atoi(m.Getenv("GOGC")); err == nil && n > 0 && n < 50 {
		f.Level, f.Advice = Warn, "the collector runs often and takes time from the load generator; unset GOGC"
	}
	return f
}

func (m *Machine) disk() Finding {
	free, ok := m.Free(m.Out)
	if !ok {
		return unknown("disk", "disk")
	}
	f := Finding{Group: "disk", Name: "disk", Level: OK, Found: fmt.Sprintf("%s free for %s", gib(float64(free)), m.Out)}
	// A record is about 100 bytes; the result file, its page and the logs are bounded.
	need := 256<<20 + m.Needs.Rate*m.Needs.Length.Seconds()*100
	if float64(free) < need {
		f.Level, f.Advice = Bad, fmt.Sprintf("a run of %s may write %s; free some, or choose another place with --out", m.Needs.who(), gib(need))
	}
	return f
}
