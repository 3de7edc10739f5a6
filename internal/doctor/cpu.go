package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

func (m *Machine) cores() Finding {
	f := Finding{Group: "cpu", Name: "cores", Level: OK, Found: fmt.Sprintf("%d usable of %d", m.Procs, m.CPUs)}
	if m.Procs < 2 {
		f.Level, f.Advice = Warn, "server and load generator share them; expect verdicts of unknown with fewer than 2"
	}
	return f
}

// quota is the cgroup's limit (version 2) beside GOMAXPROCS.
func (m *Machine) quota() Finding {
	f := Finding{Group: "cpu", Name: "cpu quota", Level: OK, Found: "none"}
	text, ok := m.text("sys/fs/cgroup/cpu.max")
	if !ok {
		if m.OS != "linux" {
			return unknown("cpu", "cpu quota")
		}
		return f
	}
	quota, period, _ := strings.Cut(text, " ")
	q, err1 := strconv.ParseFloat(quota, 64)
	p, err2 := strconv.ParseFloat(period, 64)
	if err1 != nil || err2 != nil || p <= 0 {
		return f // "max 100000": no limit
	}
	cores := q / p
	f.Found = fmt.Sprintf("%.2g cores, GOMAXPROCS %d", cores, m.Procs)
	if float64(m.Procs) > cores+1 {
		f.Level, f.Advice = Warn, fmt.Sprintf("the cgroup stops the program in the middle of its work; set GOMAXPROCS=%d, or raise the quota", max(1, int(cores)))
	}
	return f
}

func (m *Machine) load() Finding {
	text, ok := m.text("proc/loadavg")
	first, _, _ := strings.Cut(text, " ")
	avg, err := strconv.ParseFloat(first, 64)
	if !ok || err != nil {
		return unknown("cpu", "load")
	}
	f := Finding{Group: "cpu", Name: "load", Level: OK, Found: fmt.Sprintf("%.2f over the last minute, on %d cores", avg, m.CPUs)}
	if avg > float64(m.CPUs) {
		f.Level, f.Advice = Warn, "other work wants every core; end it, or expect verdicts of unknown"
	}
	return f
}

// steal is the share of one second that the hypervisor gave to others.
func (m *Machine) steal(ctx context.Context) Finding {
	before, ok := m.jiffies()
	if !ok {
		return unknown("cpu", "steal")
	}
	m.Pause(ctx, time.Second)
	after, _ := m.jiffies()
	total := after.all - before.all
	if total <= 0 {
		return unknown("cpu", "steal")
	}
	share := (after.stolen - before.stolen) / total
	f := Finding{Group: "cpu", Name: "steal", Level: OK, Found: fmt.Sprintf("%.1f %% of the last second went to other machines", 100*share)}
	if share > 0.02 {
		f.Level, f.Advice = Warn, "the host gives this machine's time away; take a quieter or a dedicated one"
	}
	return f
}

type jiffies struct{ all, stolen float64 }

// jiffies reads the first line of /proc/stat: user nice system idle iowait irq softirq steal (guest time is in user).
func (m *Machine) jiffies() (jiffies, bool) {
	text, ok := m.text("proc/stat")
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if !ok || len(fields) < 9 || fields[0] != "cpu" {
		return jiffies{}, false
	}
	var j jiffies
	for i, text := range fields[1:9] {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return j, false
		}
		j.all += n
		if i == 7 {
			j.stolen = n
		}
	}
	return j, true
}

func (m *Machine) governor() Finding {
	word, ok := m.text("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
	if !ok {
		return Finding{Group: "cpu", Name: "governor", Level: OK, Found: "not known here (usual in virtual machines)"}
	}
	f := Finding{Group: "cpu", Name: "governor", Level: OK, Found: word}
	if word == "powersave" || word == "ondemand" || word == "conservative" {
		f.Level, f.Advice = Warn, "clocks change with load, and latencies with them; for numbers to compare: cpupower frequency-set -g performance"
	}
	return f
}
