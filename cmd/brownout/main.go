// Command brownout asks what users of an LLM inference service see when a GPU, a node or a network
// misbehaves under load, and how fast it goes away.
//
// One file a command lives here. What may not: logic that another program could want.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"
	"go.k6.io/k6/v2/cmd"

	_ "github.com/brownout-dev/brownout/k6ext" // executors, modules and output of our k6
	"github.com/brownout-dev/brownout/scenarios/run"
	"github.com/brownout-dev/brownout/scenarios/target"
)

func main() {
	if isK6(os.Args) {
		runK6()
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(execute(ctx, rootCommand()))
}

// execute runs the command tree and maps what it returns to an exit code.
func execute(ctx context.Context, root *cobra.Command) int {
	err := root.ExecuteContext(ctx)
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	if err == nil {
		return run.ExitPass
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "brownout: interrupted")
		return run.ExitInterrupted
	}
	fmt.Fprintf(os.Stderr, "brownout: %v\n", err)
	return run.ExitError
}

// exitCode ends the program with a code and no further words.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// isK6 reports whether k6 shall take the arguments: `brownout k6 …`, or a link to this binary named
// k6, as the images of k6-operator want it.
func isK6(args []string) bool {
	return filepath.Base(args[0]) == "k6" || (len(args) > 1 && args[1] == "k6")
}

// runK6 hands the process over to k6, which ends it.
func runK6() {
	target.Watch(func() { os.Exit(run.ExitInterrupted) })
	if filepath.Base(os.Args[0]) != "k6" {
		os.Args = append([]string{"k6"}, os.Args[2:]...)
	}
	// Unless the user asks for it, nothing of ours talks to the internet.
	for _, off := range [][2]string{{"K6_NO_USAGE_REPORT", "true"}, {"K6_AUTO_EXTENSION_RESOLUTION", "false"}} {
		if _, set := os.LookupEnv(off[0]); !set {
			_ = os.Setenv(off[0], off[1]) // fails only for an empty name
		}
	}
	cmd.Execute()
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "brownout",
		Short: "Chaos and load testing for LLM inference: what users see when a GPU, a node or a network misbehaves",
		Long: `brownout drives real load against an LLM inference service, makes things go wrong on purpose,
proves that they did, measures how long users felt it, and gives a verdict one can trust.

Exit codes of run, report and compare: 0 pass, 99 fail, 3 unknown, 1 usage or internal error, 130 interrupted.`,
		Example: `  brownout list                       what can be run
  brownout run gpu-oom                one GPU of six runs out of memory under load
  brownout run gpu-oom --set target.refserver.resilience=none
  brownout explain gpu-oom            what a scenario does, before running it
  brownout saturate                   the highest rate inside the SLO
  brownout init github                a CI pipeline that runs scenarios
  brownout serve --preset chat-8b     the reference server alone
  brownout k6 run script.js           plain k6, with our modules`,
		SilenceUsage: true, SilenceErrors: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.AddCommand(runCommand(), saturateCommand(), listCommand(), validateCommand(), explainCommand(), reportCommand(), compareCommand(), initCommand(),
		serveCommand(), nodeCommand(), faultCommand(), doctorCommand(), k6Command(), versionCommand())
	return root
}

// k6Command only shows up in help: main hands `brownout k6` over before cobra sees it.
func k6Command() *cobra.Command {
	return &cobra.Command{
		Use: "k6", Short: "Run k6 itself, with brownout's executors, modules and output",
		Example: "  brownout k6 run script.js\n  brownout k6 version",
		RunE:    func(*cobra.Command, []string) error { return errors.New("k6 is dispatched before this command") },
	}
}
