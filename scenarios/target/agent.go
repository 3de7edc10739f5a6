package target

import (
	"context"
	"path/filepath"
	"time"
)

// agentGrace is how long a fault agent may take to undo its faults and prove that they are gone.
const agentGrace = 15 * time.Second

// CanHoldFaults reports whether HoldFaults can be of use: faults reach an adopted server through its
// admin listener, and nobody holds them yet.
func (t *Target) CanHoldFaults() bool { return t.Faults == "" && t.Admin != "" }

// AgentPID is the process that HoldFaults started; 0 without one.
func (t *Target) AgentPID() int {
	if t.agent == nil {
		return 0
	}
	return t.agent.PID()
}

// HoldFaults starts `brownout fault agent` as a child that holds faults for a server that is not
// ours. It ends with this process, however that ends, and undoes what it holds first. dir is the run's.
// With docker it kills nodes as containers.
func (t *Target) HoldFaults(ctx context.Context, binary, dir string, docker bool) error {
	token := newToken()
	args := []string{"fault", "agent", "--admin", t.Admin, "--listen", "127.0.0.1:0",
		"--journal", filepath.Join(dir, "faults", "journal.jsonl"), "--state-dir", filepath.Join(dir, "faults", "state")}
	if docker {
		args = append(args, "--docker")
	}
	agent, listening, err := StartListening(ctx, "fault agent", Command{
		Binary: binary, Log: filepath.Join(dir, "agent.log"),
		Args: args,
		Env:  []string{AdminTokenEnv + "=" + t.AdminToken, FaultTokenEnv + "=" + token},
	})
	if err != nil {
		return err
	}
	t.agent, t.Faults, t.FaultToken = agent, listening.Faults, token
	return nil
}
