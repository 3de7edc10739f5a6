package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/brownout-dev/brownout/internal/pace"
)

// check is one finding of the doctor.
type check struct {
	Name   string `json:"name"`
	Level  string `json:"level"` // "ok", "warn", "bad"
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"`
}

func doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Check whether this machine can give trustworthy verdicts", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			checks := []check{cores(), openFiles(), ports(), timer(), docker()}
			if asJSON {
				enc := json.NewEncoder(c.OutOrStdout())
				enc.SetIndent("", "  ")
				return enc.Encode(checks)
			}
			bad := false
			for _, k := range checks {
				fmt.Fprintf(c.OutOrStdout(), "%-5s %-12s %s\n", k.Level, k.Name, k.Found)
				if k.Advice != "" {
					fmt.Fprintf(c.OutOrStdout(), "%-18s → %s\n", "", k.Advice)
				}
				bad = bad || k.Level == "bad"
			}
			if bad {
				return errors.New("this machine cannot run the built-in scenarios; see above for the mend")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func cores() check {
	n := runtime.GOMAXPROCS(0)
	k := check{Name: "cores", Level: "ok", Found: fmt.Sprintf("%d usable of %d", n, runtime.NumCPU())}
	if n < 2 {
		k.Level, k.Advice = "warn", "server and load generator share them; expect verdicts of unknown with fewer than 2"
	}
	return k
}

func openFiles() check {
	const want = 4096
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		return check{Name: "open files", Level: "warn", Found: err.Error()}
	}
	k := check{Name: "open files", Level: "ok", Found: fmt.Sprintf("limit %d", lim.Cur)}
	if lim.Cur < want {
		k.Level, k.Advice = "warn", fmt.Sprintf("every request in flight needs two; raise it: ulimit -n %d", want)
	}
	return k
}

func ports() check {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a loopback port is there at once or not at all
	if err != nil {
		return check{Name: "loopback", Level: "bad", Found: err.Error(), Advice: "the server needs ports on 127.0.0.1"}
	}
	l.Close()
	return check{Name: "loopback", Level: "ok", Found: "ports can be bound on 127.0.0.1"}
}

// timer measures how late this machine wakes a waiting thread: the floor of every latency it reports.
func timer() check {
	w := pace.New()
	late := make([]time.Duration, 200)
	for i := range late {
		at := time.Now().Add(5 * time.Millisecond)
		w.Until(at, nil)
		late[i] = time.Since(at)
	}
	slices.Sort(late)
	p50, p99 := late[len(late)/2], late[len(late)*99/100]
	k := check{Name: "timer", Level: "ok", Found: fmt.Sprintf("wakes %v late (p50), %v (p99), over %d waits of 5 ms", p50.Round(time.Microsecond), p99.Round(time.Microsecond), len(late))}
	if p99 > 10*time.Millisecond {
		k.Level, k.Advice = "warn", "other work is taking the cores; verdicts will be unknown until it ends"
	}
	return k
}

func docker() check {
	if _, err := exec.LookPath("docker"); err != nil {
		return check{Name: "docker", Level: "ok", Found: "not installed: scenarios run as child processes"}
	}
	out, err := exec.Command("docker", "version", "--format", "{{.Server.Version}}").Output() //nolint:noctx // the client has its own time-out
	if err != nil {
		return check{Name: "docker", Level: "ok", Found: "installed, but no engine answers: container journeys skip"}
	}
	return check{Name: "docker", Level: "ok", Found: "engine " + string(out[:max(0, len(out)-1)])}
}
