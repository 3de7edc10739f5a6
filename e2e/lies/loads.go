package lies

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/brownout-dev/brownout/internal/fakellm"
)

// ofLoads are lies the load generator tells of itself.
func ofLoads() []Lie {
	return []Lie{
		{
			Name:  "a starved client",
			Told:  "the load generator gets no processor for a second, twice; what it then measures looks like a slow server",
			Truth: "unknown: client-limited",
			Tell: func(s *Stage) error {
				o, err := s.against("ttft=20ms", plan{rate: 100, phases: "[{name: all, for: 8s}]", gates: "run: [goodput >= 99%]"}.yaml(), starve)
				return errors.Join(err, o.expect(unknown, "client-limited"))
			},
			Guard: []Edit{{"reports/slo/guards.go", "Limit: limit.Seconds(), Unit: \"s\", Tripped: got > limit.Seconds()}", "Limit: limit.Seconds(), Unit: \"s\"}"}},
		},
		{
			Name:  "a rate that was not delivered",
			Told:  "the client may have five requests in flight and the server takes half a second: 10/s of the 40/s asked for are sent",
			Truth: "unknown: what was not sent was not tested",
			Tell: func(s *Stage) error {
				o, err := s.against("ttft=500ms", plan{rate: 40, load: "max_in_flight: 5", limits: "ttft: 1s, e2e: 3s", gates: "run: [goodput >= 10%]"}.yaml(), nil)
				return errors.Join(err, o.expect(unknown, "client-limited"))
			},
			Guard: []Edit{{"reports/slo/guards.go", `Unit: "share", Tripped: dropped > g.DroppedShare}`, `Unit: "share"}`}},
		},
		{
			Name:  "a p99 from two hundred requests",
			Told:  "all 200 requests took 20 ms, so the p99 is 20 ms",
			Truth: "unknown: with 200 requests up to 1.8 % may be slower",
			Tell: func(s *Stage) error {
				o, err := s.against("ttft=20ms", plan{rate: 50, gates: "run: [p99 ttft <= 300ms]"}.yaml(), nil)
				return errors.Join(err, o.expect(unknown, "samples"))
			},
			Guard: []Edit{{"reports/slo/gates.go", "r.Verdict = bounded(r.Lower >= q, r.Upper < q)", "r.Verdict = decided(r.Share >= q)"}},
		},
	}
}

// starve stops the load generator for a second, twice, once the load is under way.
func starve(harness int) {
	pid := 0
	for range 200 {
		if pid = loadGenerator(harness); pid != 0 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	for range 2 {
		time.Sleep(5 * time.Second) // it starts, calibrates, and is in the middle of its load
		if pid == 0 || syscall.Kill(pid, syscall.SIGSTOP) != nil {
			return
		}
		time.Sleep(time.Second)
		_ = syscall.Kill(pid, syscall.SIGCONT) // it is our child's child and cannot be gone while stopped
	}
}

// loadGenerator finds the k6 child of the harness; 0 while there is none.
func loadGenerator(harness int) int {
	all, _ := filepath.Glob("/proc/[0-9]*/stat") // a wrong pattern alone is an error
	for _, file := range all {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // gone by now
		}
		after := string(stat[strings.LastIndexByte(string(stat), ')')+1:])
		fields := strings.Fields(after) // state, parent, …
		if len(fields) < 2 || fields[1] != strconv.Itoa(harness) {
			continue
		}
		dir := filepath.Dir(file)
		command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err == nil && strings.Contains(string(command), "\x00k6\x00") {
			pid, _ := strconv.Atoi(filepath.Base(dir)) // the pattern says it is a number
			return pid
		}
	}
	return 0
}

// ofPlaces are lies about where and when.
func ofPlaces() []Lie {
	return []Lie{
		{
			Name:  "dead from the start",
			Told:  "nobody listens at the target; the tool sends its load, and reports what it measured",
			Truth: "an error before the first request: nothing was measured",
			Tell: func(s *Stage) error {
				o, err := s.run(plan{rate: 50, gates: "run: [goodput >= 99%]"}.yaml(), nil, "--target", "http://127.0.0.1:1")
				return errors.Join(err, o.expect(refused, ""))
			},
			Guard: []Edit{{"scenarios/target/foreign.go", "if err := t.Reachable(ctx); err != nil {", "if err := t.Reachable(ctx); false {"}},
		},
		{
			Name:  "a clock an hour ahead",
			Told:  "halfway through the run the server's clock is stepped by an hour; its events still look precise",
			Truth: "unknown: clock",
			Tell: func(s *Stage) error {
				w, err := s.world(fakellm.Script{TTFT: 5 * time.Millisecond})
				if err != nil {
					return err
				}
				w.step = func() time.Duration {
					if w.api.Requests() > 100 {
						return time.Hour
					}
					return 0
				}
				o, err := w.run(plan{rate: 50, gates: "run: [goodput >= 99%]"})
				return errors.Join(err, o.expect(unknown, "clock"))
			},
			Guard: []Edit{{"scenarios/run/gather.go", "o.Error += drift", "_ = drift"}},
		},
	}
}
