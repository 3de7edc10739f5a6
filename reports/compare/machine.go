package compare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Keys of an environment. Latencies do not compare where one of the first differs; the others may matter.
func decisiveKeys() []string { return []string{"cpu", "cpus", "gomaxprocs", "os"} }
func mildKeys() []string     { return []string{"kernel", "go", "memory"} }

// machines compares the environments of all runs: sentences that forbid an answer, and warnings. In front of
// a server that was there already the machine makes only the load: then nothing is decisive.
func machines(a, b Side) (refused, warnings []string) {
	foreign := a.Trials[0].TargetKind == "foreign"
	for _, key := range slices.Concat(decisiveKeys(), mildKeys()) {
		va, vb := values(a, key), values(b, key)
		if slices.Equal(va, vb) && len(va) < 2 {
			continue
		}
		text := fmt.Sprintf("%s was made on %s %s and %s on %s.", a.Name, key, list(va), b.Name, list(vb))
		if slices.Contains(decisiveKeys(), key) && !foreign {
			refused = append(refused, text)
		} else {
			warnings = append(warnings, text)
		}
	}
	for _, s := range []Side{a, b} {
		for _, t := range s.Trials {
			if load, cpus := before(t.Environment); load > cpus {
				warnings = append(warnings, fmt.Sprintf("The machine was busy at the end of run %s of %s: load average %.1f on %.0f cores.", t.Run, s.Name, load, cpus))
			}
		}
	}
	if ta, tb := toolsOf(a), toolsOf(b); foreign && !slices.Equal(ta, tb) {
		warnings = append(warnings, fmt.Sprintf("%s was measured by %s and %s by %s.", a.Name, list(ta), b.Name, list(tb)))
	}
	return refused, warnings
}

func toolsOf(s Side) []string { return describe(s).Tools }

// values are the different ones of a key on a side, sorted.
func values(s Side, key string) []string {
	var out []string
	for _, t := range s.Trials {
		if v := t.Environment[key]; !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return out
}

func list(values []string) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = strconv.Quote(v)
	}
	return strings.Join(out, " and ")
}

// before is the load average of the last minute and the number of cores; 0 and 0 when not known.
func before(env map[string]string) (load, cpus float64) {
	first, _, _ := strings.Cut(env["loadavg"], " ")
	load, errLoad := strconv.ParseFloat(first, 64)
	cpus, errCPUs := strconv.ParseFloat(env["cpus"], 64)
	if errLoad != nil || errCPUs != nil {
		return 0, 0
	}
	return load, cpus
}
