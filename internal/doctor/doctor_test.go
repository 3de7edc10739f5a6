package doctor

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// healthy is a machine without a complaint.
func healthy() (Machine, fstest.MapFS) {
	root := fstest.MapFS{}
	for path, text := range map[string]string{
		"proc/loadavg":                          "0.10 0.20 0.30 1/200 4242\n",
		"proc/stat":                             "cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 1 1 1 1\n",
		"proc/self/limits":                      "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 1048576              files\n",
		"proc/meminfo":                          "MemTotal:       16777216 kB\nMemAvailable:    8388608 kB\n",
		"proc/net/sockstat":                     "sockets: used 200\nTCP: inuse 5 orphan 0 tw 123 alloc 7 mem 1\n",
		"proc/sys/net/core/somaxconn":           "4096\n",
		"proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
		"sys/fs/cgroup/cpu.max":                 "max 100000\n",
		"sys/fs/cgroup/memory.max":              "max\n",
		"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor":            "performance\n",
		"sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
	} {
		root[path] = &fstest.MapFile{Data: []byte(text)}
	}
	m := Machine{OS: "linux", Root: root, Procs: 4, CPUs: 4, Out: "out",
		Getenv: func(string) string { return "" },
		Pause: func(context.Context, time.Duration) {
			root["proc/stat"] = &fstest.MapFile{Data: []byte("cpu  150 0 150 1100 0 0 0 0 0 0\n")}
		},
		Late: func(context.Context, int) (time.Duration, time.Duration) {
			return 60 * time.Microsecond, time.Millisecond
		},
		Tick: func() time.Duration { return 40 * time.Nanosecond },
		Bind: func() error { return nil },
		Free: func(string) (uint64, bool) { return 100 << 30, true },
		Docker: func(context.Context) (Engine, error) {
			return Engine{Version: "20.10", API: "1.41", Images: []string{"testcontainers/ryuk:0.11"}}, nil
		},
		Build: func() []Version { return []Version{{"brownout", "1"}, {"k6", "v2"}} }}
	return m, root
}

func examine(t *testing.T, m Machine) map[string]Finding {
	t.Helper()
	out := map[string]Finding{}
	for _, f := range Examine(t.Context(), m, func(string) {}) {
		require.NotContains(t, out, f.Name)
		require.NotEmpty(t, f.Found, f.Name)
		require.NotEmpty(t, f.Group, f.Name)
		if f.Level != OK {
			require.NotEmpty(t, f.Advice, f.Name)
		}
		out[f.Name] = f
	}
	return out
}

func TestHealthyMachine(t *testing.T) {
	m, _ := healthy()
	all := Examine(t.Context(), m, func(string) {})
	assert.Len(t, all, 19)
	for _, f := range all {
		assert.Equal(t, OK, f.Level, "%+v", f)
	}
	m, _ = healthy()
	by := examine(t, m)
	assert.Contains(t, by["steal"].Found, "0.0 %")
	assert.Contains(t, by["ports"].Found, "28232")
	assert.Contains(t, by["ports"].Found, "123 in TIME_WAIT")
	assert.Equal(t, OK, by["ports"].Level)
	assert.InDelta(t, 2823, by["ports"].Limit, 1)
	assert.Equal(t, OK, Worst(all))
}

// Every check can complain.
func TestEachTrouble(t *testing.T) {
	write := func(path, text string) func(*Machine, fstest.MapFS) {
		return func(_ *Machine, root fstest.MapFS) { root[path] = &fstest.MapFile{Data: []byte(text)} }
	}
	for _, tc := range []struct {
		name  string
		plant func(*Machine, fstest.MapFS)
		level Level
		found string
	}{
		{"cores", func(m *Machine, _ fstest.MapFS) { m.Procs = 1 }, Warn, "1 usable of 4"},
		{"cpu quota", write("sys/fs/cgroup/cpu.max", "150000 100000\n"), Warn, "1.5 cores, GOMAXPROCS 4"},
		{"load", write("proc/loadavg", "16.5 12 7 1/2 3"), Warn, "16.50"},
		{"steal", func(m *Machine, root fstest.MapFS) {
			m.Pause = func(context.Context, time.Duration) {
				root["proc/stat"] = &fstest.MapFile{Data: []byte("cpu  150 0 150 1000 0 0 0 100 0 0\n")}
			}
		}, Warn, "25.0 %"},
		{"governor", write("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n"), Warn, "powersave"},
		{"open files", write("proc/self/limits", "Max open files 1024 2048 files\n"), Warn, "limit 1024, at most 2048"},
		{"open files", write("proc/self/limits", "Max open files 256 256 files\n"), Bad, "limit 256"},
		{"loopback", func(m *Machine, _ fstest.MapFS) { m.Bind = func() error { return errors.New("no such device") } }, Bad, "no such device"},
		{"ports", write("proc/sys/net/ipv4/ip_local_port_range", "60000 60999"), Bad, "1000 for"},
		{"ports", write("proc/net/sockstat", "TCP: inuse 5 orphan 0 tw 27000 alloc 7"), Warn, "27000 in TIME_WAIT"},
		{"ports", write("proc/sys/net/ipv4/ip_local_port_range", "60000 65000"), Warn, "5001 for"},
		{"somaxconn", write("proc/sys/net/core/somaxconn", "128"), Warn, "128"},
		{"clock source", write("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet"), Warn, "hpet"},
		{"resolution", func(m *Machine, _ fstest.MapFS) { m.Tick = func() time.Duration { return time.Millisecond } }, Warn, "1ms"},
		{"timer", func(m *Machine, _ fstest.MapFS) {
			m.Late = func(context.Context, int) (time.Duration, time.Duration) {
				return time.Millisecond, 12 * time.Millisecond
			}
		}, Warn, "12ms"},
		{"timer, busy", func(m *Machine, _ fstest.MapFS) {
			m.Late = func(_ context.Context, busy int) (time.Duration, time.Duration) {
				return 0, time.Duration(busy) * 10 * time.Millisecond
			}
		}, Warn, "30ms (p99), with 3 busy"},
		{"memory", write("proc/meminfo", "MemTotal: 1000000 kB\nMemAvailable: 600000 kB\n"), Warn, "0.6 GiB free"},
		{"memory", write("sys/fs/cgroup/memory.max", "104857600"), Bad, "of 0.1 GiB"},
		{"go collector", func(m *Machine, _ fstest.MapFS) {
			m.Getenv = func(n string) string { return map[string]string{"GOGC": "10"}[n] }
		}, Warn, "GOGC=10"},
		{"disk", func(m *Machine, _ fstest.MapFS) { m.Free = func(string) (uint64, bool) { return 1 << 20, true } }, Bad, "0.0 GiB free for out"},
	} {
		t.Run(tc.name+" "+tc.found, func(t *testing.T) {
			m, root := healthy()
			tc.plant(&m, root)
			f := examine(t, m)[tc.name]
			assert.Equal(t, tc.level, f.Level, "%+v", f)
			assert.Contains(t, f.Found, tc.found)
			assert.Equal(t, tc.level, Worst([]Finding{f, {Level: OK}}))
		})
	}
}

// A scenario's own needs decide.
func TestNeedsOfAScenario(t *testing.T) {
	m, _ := healthy()
	m.Needs = Needs{Scenario: "flood", Rate: 5000, InFlight: 100_000, Stay: time.Second, Length: time.Hour}
	by := examine(t, m)
	assert.Equal(t, Bad, by["ports"].Level)
	assert.Contains(t, by["ports"].Advice, "scenario flood may need 100000")
	assert.Equal(t, OK, by["open files"].Level)
	assert.Equal(t, Warn, by["memory"].Level)
}

// A system without /proc says so and is not blamed.
func TestOtherSystems(t *testing.T) {
	m, root := healthy()
	for path := range root {
		delete(root, path)
	}
	m.OS = "darwin"
	m.Pause = func(context.Context, time.Duration) {}
	m.Docker = func(context.Context) (Engine, error) { return Engine{}, errors.New("none") }
	m.Free = func(string) (uint64, bool) { return 0, false }
	for name, f := range examine(t, m) {
		assert.Equal(t, OK, f.Level, name)
		switch name {
		case "load", "steal", "cpu quota", "open files", "ports", "somaxconn", "clock source", "memory", "disk":
			assert.Equal(t, "not known here", f.Found, name)
		}
	}
}

func TestHere(t *testing.T) {
	m := Here(t.TempDir(), Needs{})
	m.Late = func(context.Context, int) (time.Duration, time.Duration) { return 0, 0 }
	for _, f := range Examine(t.Context(), m, func(string) {}) {
		assert.NotEmpty(t, f.Found, f.Name)
	}
}
