package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/brownout-dev/brownout/faults"
	"github.com/brownout-dev/brownout/faults/agent"
	containers "github.com/brownout-dev/brownout/faults/drivers/docker"
	"github.com/brownout-dev/brownout/faults/drivers/refserver"
	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/scenarios/target"
)

const (
	faultEndpoint = "http://127.0.0.1:9100"
	faultTokenEnv = "BROWNOUT_FAULT_TOKEN"
	adminTokenEnv = "BROWNOUT_ADMIN_TOKEN"
	// faultNoOpEnv makes faults do nothing, to show that a run then ends as unknown.
	faultNoOpEnv = "BROWNOUT_TEST_FAULT_NOOP"
)

func faultCommand() *cobra.Command {
	api := &faultAPI{}
	root := &cobra.Command{
		Use:   "fault",
		Short: "Inject, watch and clear faults by hand, and run a process that holds them",
		Long: `A fault is held by a process: 'brownout serve --faults', or 'brownout fault agent'. It proves that
the fault took effect, ends it when its time or its lease is over, and proves that it is gone.
The commands here only speak that process's HTTP API; its token comes from the environment.`,
		Example: `  brownout fault list
  brownout fault inject "gpu.oom on gpu=n2/g1 for 10s"
  brownout fault inject "gpu.oom on node=n1,gpu=*/g0 for 1m reserve=95% ramp=20s" --wait
  brownout fault status
  brownout fault stop-all`,
	}
	root.PersistentFlags().StringVar(&api.endpoint, "endpoint", faultEndpoint, "base URL of the process that holds the faults")
	root.PersistentFlags().StringVar(&api.tokenEnv, "token-env", faultTokenEnv, "environment variable with its token")
	root.AddCommand(faultListCommand(), faultInjectCommand(api), faultClearCommand(api), faultStopAllCommand(api),
		faultStatusCommand(api), faultAgentCommand(api))
	return root
}

type faultAPI struct{ endpoint, tokenEnv string }

func (a *faultAPI) client() (*faults.Client, error) {
	token := os.Getenv(a.tokenEnv)
	if token == "" {
		return nil, fmt.Errorf("%s is empty: set it to the token that the holder of the faults was started with", a.tokenEnv)
	}
	return faults.NewClient(faults.ClientConfig{Endpoint: a.endpoint, Token: token})
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func faultListCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "list", Short: "The kinds of faults, what they stand for and how they are proven", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			if asJSON {
				return printJSON(out, faults.Catalogue())
			}
			for _, k := range faults.Catalogue() {
				fmt.Fprintf(out, "%s — %s\n", k.Kind, k.Summary)
				fmt.Fprintf(out, "  write      %s on %s=TARGET for DURATION\n", k.Kind, k.On)
				for _, p := range k.Params {
					fmt.Fprintf(out, "             %s=%s  %s\n", p.Name, p.Default, p.Help)
				}
				for _, row := range [][2]string{{"layer", string(k.Layer)}, {"drivers", strings.Join(k.Drivers, ", ")},
					{"incident", k.Incident}, {"proof", k.Proof}, {"gone when", k.Gone}, {"healthy", k.Healthy}} {
					fmt.Fprintf(out, "  %-10s %s\n", row[0], row[1])
				}
			}
			fmt.Fprintf(out, "\nEvery fault also takes ramp=DURATION, seed=N and max_share=SHARE (at most %.0f%% of the targets unless raised).\n", faults.DefaultMaxShare*100)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func faultInjectCommand(api *faultAPI) *cobra.Command {
	req := faults.InjectRequest{Actor: "brownout fault inject"}
	var wait, dry, asJSON bool
	cmd := &cobra.Command{
		Use: `inject "FAULT"`, Short: "Arm a fault and prove it; the holder ends it when its time is over",
		Example: `  brownout fault inject "gpu.oom on gpu=n2/g1 for 10s" --wait
  brownout fault inject "gpu.oom on gpu=n2/* for 30s max_share=75%" --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := api.client()
			if err != nil {
				return err
			}
			if req.Lease > 0 && !wait {
				return errors.New("a lease needs somebody who renews it: add --wait, or leave --lease out")
			}
			req.Fault = args[0]
			if dry {
				targets, err := client.Check(cmd.Context(), req)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "would be on %s\n", strings.Join(targets, ", "))
				return nil
			}
			held, err := client.Inject(cmd.Context(), req)
			if err != nil {
				return err
			}
			if err := printHeld(cmd.OutOrStdout(), held, asJSON); err != nil {
				return err
			}
			if wait {
				if held, err = followFault(cmd.Context(), client, held, req.Lease); err != nil {
					return err
				}
				if err := printHeld(cmd.OutOrStdout(), held, asJSON); err != nil {
					return err
				}
			}
			return faultProblem(held)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&req.Lease, "lease", 0, "with --wait: the holder ends the fault this long after this command died")
	flags.DurationVar(&req.ProveWithin, "prove-within", 0, "how long the proof may take (default 2s)")
	flags.StringVar(&req.Run, "run", "", "run id for the journal")
	flags.StringVar(&req.Reason, "reason", "", "why, for the journal")
	flags.BoolVar(&wait, "wait", false, "stay until the fault is gone; interrupting clears it")
	flags.BoolVar(&dry, "dry-run", false, "only say which targets it would be on")
	flags.BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// followFault renews the lease until the fault is over, or clears it when the user interrupts.
func followFault(ctx context.Context, client *faults.Client, held faults.Held, lease time.Duration) (faults.Held, error) {
	every := 200 * time.Millisecond
	if lease > 0 {
		every = min(every, max(lease/3, time.Millisecond))
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	renew := time.Now().Add(lease / 3)
	for {
		select {
		case <-ctx.Done():
			return client.Clear(context.WithoutCancel(ctx), held.ID)
		case <-tick.C:
		}
		now, err := client.Get(ctx, held.ID)
		if err != nil {
			if ctx.Err() != nil {
				continue // interrupted while asking
			}
			return held, err
		}
		held = now
		if held.Cleared != 0 || held.Step == faults.StepClearFailed {
			return held, nil
		}
		if lease > 0 && time.Now().After(renew) {
			renew = time.Now().Add(lease / 3)
			if _, err := client.Renew(ctx, held.ID, lease); err != nil {
				if refused, ok := errors.AsType[*faults.APIError](err); !ok || refused.Code != http.StatusGone {
					return held, err
				}
			}
		}
	}
}

// faultProblem is nil for a fault that was proven, or is about to be, and is on or properly gone.
func faultProblem(h faults.Held) error {
	switch {
	case h.Step == faults.StepClearFailed:
		return fmt.Errorf("fault %s could not be proven gone (%s): look at the target and run 'brownout fault clear %s' again", h.ID, h.Error, h.ID)
	case h.Step == faults.StepUnproven, h.Cleared != 0 && h.Effective == 0:
		return fmt.Errorf("fault %s was never seen to take effect (%s): whatever happens is not its doing", h.ID, cmp.Or(h.Evidence, "no look at the target succeeded"))
	case h.Step == faults.StepExpired:
		return fmt.Errorf("fault %s ended early because its lease was not renewed: use a longer --lease", h.ID)
	}
	return nil
}

func printHeld(w io.Writer, h faults.Held, asJSON bool) error {
	if asJSON {
		return printJSON(w, h)
	}
	on := strings.Join(h.Targets, ", ")
	switch {
	case h.Cleared != 0:
		fmt.Fprintf(w, "%s is gone from %s after %s (%s): %s\n", h.ID, on, h.Cleared.Sub(h.Armed).Round(time.Millisecond), h.Cause, h.Gone)
	case h.Effective != 0:
		fmt.Fprintf(w, "%s is on %s, proven after %s: %s\n", h.ID, on, h.Effective.Sub(h.Armed).Round(time.Millisecond), h.Evidence)
	default:
		fmt.Fprintf(w, "%s is on %s, not proven yet: %s\n", h.ID, on, cmp.Or(h.Evidence, "not looked"))
	}
	return nil
}

func faultClearCommand(api *faultAPI) *cobra.Command {
	return &cobra.Command{
		Use: "clear ID", Short: "Undo one fault and prove that it is gone", Args: cobra.ExactArgs(1),
		Example: "  brownout fault clear f-3a9c01d2e4b5",
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := api.client()
			if err != nil {
				return err
			}
			held, err := client.Clear(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return reportCleared(cmd.OutOrStdout(), held)
		},
	}
}

func faultStopAllCommand(api *faultAPI) *cobra.Command {
	return &cobra.Command{
		Use: "stop-all", Short: "Undo every fault and prove that they are gone", Args: cobra.NoArgs,
		Example: "  brownout fault stop-all --endpoint http://127.0.0.1:9100",
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := api.client()
			if err != nil {
				return err
			}
			all, err := client.StopAll(cmd.Context())
			if err != nil {
				return err
			}
			if len(all) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "nothing was on")
			}
			return reportCleared(cmd.OutOrStdout(), all...)
		},
	}
}

func reportCleared(w io.Writer, all ...faults.Held) error {
	var stuck []string
	for _, h := range all {
		if h.Cleared == 0 {
			stuck = append(stuck, fmt.Sprintf("%s on %s: %s", h.ID, strings.Join(h.Targets, ", "), h.Error))
			continue
		}
		if err := printHeld(w, h, false); err != nil {
			return err
		}
	}
	if len(stuck) > 0 {
		return fmt.Errorf("not proven gone: %s; look at the target and clear it again", strings.Join(stuck, "; "))
	}
	return nil
}

func faultStatusCommand(api *faultAPI) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status", Short: "The faults a holder has on or remembers", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := api.client()
			if err != nil {
				return err
			}
			all, err := client.List(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), all)
			}
			if len(all) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "no faults")
				return nil
			}
			table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			fmt.Fprintln(table, "ID\tSTEP\tTARGETS\tFAULT\tSEEN")
			for _, h := range all {
				seen := cmp.Or(h.Error, h.Gone, h.Evidence)
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", h.ID, h.Step, strings.Join(h.Targets, ","), h.Fault, seen)
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

type faultAgentFlags struct {
	listen, admin, adminTokenEnv, journal, stateDir string
	parentFD                                        int
	allowRemote, printReady, docker                 bool
}

func faultAgentCommand(api *faultAPI) *cobra.Command {
	var f faultAgentFlags
	cmd := &cobra.Command{
		Use: "agent", Short: "Hold faults for a server that runs elsewhere, and undo them whatever happens",
		Long: `The agent arms faults on a brownout server through its admin listener, and undoes them when their time
is over, their lease is lost, it is told to stop, its parent dies, or, with the same --state-dir, when
it is started again after a crash.`,
		Example: `  export BROWNOUT_FAULT_TOKEN=$(openssl rand -hex 16) BROWNOUT_ADMIN_TOKEN=...
  brownout fault agent --admin http://127.0.0.1:9101 --journal faults.jsonl --state-dir /var/lib/brownout`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runFaultAgent(cmd, api, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:9100", "address of the fault API")
	flags.StringVar(&f.admin, "admin", "", "base URL of the server's admin listener")
	flags.StringVar(&f.adminTokenEnv, "admin-token-env", adminTokenEnv, "environment variable with the server's admin token")
	flags.StringVar(&f.journal, "journal", "", "append-only journal file (JSON Lines)")
	flags.StringVar(&f.stateDir, "state-dir", "", "directory for what is needed to undo after a crash")
	flags.IntVar(&f.parentFD, "parent-fd", 0, "file descriptor of a pipe held by the parent: when it closes, undo everything and exit")
	flags.BoolVar(&f.docker, "docker", false, "kill nodes as containers: those with the label "+containers.Label+" of the engine at $DOCKER_HOST")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "allow --listen on an address others can reach")
	flags.BoolVar(&f.printReady, "print-ready", false, "print one JSON line on stdout once the API answers")
	for _, name := range []string{"admin", "journal", "state-dir"} {
		_ = cmd.MarkFlagRequired(name) // fails only for a flag that does not exist
	}
	return cmd
}

func runFaultAgent(cmd *cobra.Command, api *faultAPI, f faultAgentFlags) error {
	token := os.Getenv(api.tokenEnv)
	if token == "" {
		return fmt.Errorf("%s is empty: faults are never held without a token, set one", api.tokenEnv)
	}
	if !f.allowRemote && !loopback(f.listen) {
		return fmt.Errorf("--listen %s can be reached from other machines: use 127.0.0.1, or add --allow-remote if you mean it", f.listen)
	}
	drivers, err := f.drivers()
	if err != nil {
		return err
	}
	holder, err := agent.New(agent.Config{
		Drivers: drivers, JournalFile: f.journal, StateDir: f.stateDir, Token: token,
		Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)),
	})
	if err != nil {
		return err
	}
	// A session of its own, so that what ends the parent's terminal or process group does not end
	// this process before it has undone. A shell's foreground job leads its group already and cannot
	// have one (EPERM); it gets the terminal's signals, which undo too.
	_, _ = unix.Setsid()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP, syscall.SIGTERM, os.Interrupt)
	defer stop()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	target.Watch(cancel)
	if f.parentFD > 0 {
		go func() {
			_, _ = io.Copy(io.Discard, os.NewFile(uintptr(f.parentFD), "parent")) // ends when the parent does
			cancel()
		}()
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("cannot listen on %s, choose another address: %w", f.listen, err)
	}
	server := &http.Server{Handler: holder.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 3 * time.Minute, IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(listener)
		cancel()
	}()
	base := "http://" + listener.Addr().String()
	here := admin.Listening{Faults: base, PID: os.Getpid()}
	if err = target.Announce(here); err != nil {
		cancel()
	}
	if f.printReady {
		err = json.NewEncoder(cmd.OutOrStdout()).Encode(here)
	} else {
		_, err = fmt.Fprintf(cmd.OutOrStdout(), "holding faults for %s at %s\n", f.admin, base)
	}
	if err != nil { // the parent that wants to read this is gone
		cancel()
	}
	err = holder.Run(ctx)
	end, done := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer done()
	_ = server.Shutdown(end) // what still asks after that is cut off with the process
	if apiErr := <-served; err == nil && !errors.Is(apiErr, http.ErrServerClosed) {
		err = fmt.Errorf("the fault API at %s ended, so all faults were undone: %w", base, apiErr)
	}
	return err
}

// drivers are the server's own and, if asked for, Docker's for what happens to whole nodes.
func (f faultAgentFlags) drivers() ([]faults.Driver, error) {
	noop := os.Getenv(faultNoOpEnv) == "1"
	server, err := refserver.New(refserver.Config{AdminURL: f.admin, Token: os.Getenv(f.adminTokenEnv), NoOp: noop})
	if err != nil || !f.docker {
		return []faults.Driver{server}, err
	}
	engine, err := containers.Dial()
	if err != nil {
		return nil, err
	}
	nodes := containers.New(containers.Config{Engine: engine, NoOp: noop})
	return []faults.Driver{except{server, nodes.Kinds()}, nodes}, nil
}

// except is a driver that leaves some of its kinds to another one.
type except struct {
	faults.Driver
	others []string
}

// Kinds implements faults.Driver.
func (e except) Kinds() []string {
	return slices.DeleteFunc(e.Driver.Kinds(), func(k string) bool { return slices.Contains(e.others, k) })
}

// loopback reports whether only this machine can reach addr.
func loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}
