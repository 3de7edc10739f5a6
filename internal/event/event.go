package event

// Kind says what happened. The words are a contract with result.json.
type Kind string

// Kinds emitted by the reference server.
const (
	BreakerOpened   Kind = "breaker.opened"
	BreakerHalfOpen Kind = "breaker.half_open"
	BreakerClosed   Kind = "breaker.closed"
	AttemptFailed   Kind = "attempt.failed"  // Reason: why; Action: what the router did next
	RequestRetried  Kind = "request.retried" // another replica, nothing was sent yet
	RequestResumed  Kind = "request.resumed" // another replica continues a started stream
	RequestFailed   Kind = "request.failed"  // the router gave up
	RequestPoisoned Kind = "request.poisoned"
	OOM             Kind = "gpu.oom" // an allocation was refused
	BudgetHalved    Kind = "engine.budget_halved"
	BudgetRestored  Kind = "engine.budget_restored"
	Preempted       Kind = "engine.preempted"
	KVShrunk        Kind = "engine.kv_shrunk"
	Migrated        Kind = "engine.migrated" // sequences handed back to the router
	EngineDied      Kind = "engine.died"
	EngineLoading   Kind = "engine.loading"
	EngineReady     Kind = "engine.ready"
	LoadFailed      Kind = "engine.load_failed"
	ServerDraining  Kind = "server.draining"
	HoldingTaken    Kind = "gpu.holding_taken" // control surface: foreign memory appeared
	HoldingReleased Kind = "gpu.holding_released"
	ThrottleBegun   Kind = "gpu.throttle_begun" // control surface: steps take longer
	ThrottleEnded   Kind = "gpu.throttle_ended"
	ReplicaSlow     Kind = "replica.slow" // its tokens come much slower than the pool's
	ReplicaSteady   Kind = "replica.steady"
	NodeSuspected   Kind = "node.suspected" // heartbeats stay away
	NodeDead        Kind = "node.dead"      // its connection closed, or heartbeats stayed away too long
	NodeTrusted     Kind = "node.trusted"   // heartbeats came again before it was given up
	NodeReturned    Kind = "node.returned"  // a node is there, as a new epoch
	NodeKilled      Kind = "node.killed"    // control surface: killed, and kept down
	NodePermitted   Kind = "node.permitted" // control surface: may start again
)

// Kinds emitted by the fault holder; they mirror the journal.
const (
	FaultArmed     Kind = "fault.armed"
	FaultEffective Kind = "fault.effective"
	FaultUnproven  Kind = "fault.unproven"
	FaultCleared   Kind = "fault.cleared"
	FaultClearFail Kind = "fault.clear_failed"
	FaultExpired   Kind = "fault.expired" // the lease ran out
)

// Event is one line of the timeline.
type Event struct {
	Seq     uint64            `json:"seq"`               // gapless within one process
	At      Time              `json:"at_ns"`             // on the emitter's clock, or the harness's once merged
	Source  string            `json:"source"`            // "router", "engine", "faults" …
	Kind    Kind              `json:"kind"`              //
	Target  string            `json:"target,omitempty"`  // "n2/g1", "n2", a replica id such as "n2/g1/llama-3.1-8b"
	Request string            `json:"request,omitempty"` // x-request-id, where one request is meant
	Reason  string            `json:"reason,omitempty"`  // one word, bounded set
	Attrs   map[string]string `json:"attrs,omitempty"`
}

// Names reports whether the event speaks of the target or of a part of it:
// "n2/g1/llama-3.1-8b" names "n2/g1" and "n2"; "n2" does not name "n2/g1".
func (e Event) Names(target string) bool {
	if target == "" || len(e.Target) < len(target) || e.Target[:len(target)] != target {
		return false
	}
	return len(e.Target) == len(target) || e.Target[len(target)] == '/'
}

// Detection reports whether the event is the *system's own* sign that something is wrong with its
// target: protective actions and refusals count, the injector's own control calls do not.
func (e Event) Detection() bool {
	switch e.Kind {
	case BreakerOpened, ReplicaSlow, AttemptFailed, RequestRetried, RequestResumed, RequestFailed, RequestPoisoned,
		OOM, BudgetHalved, Preempted, KVShrunk, Migrated, EngineDied, LoadFailed, NodeSuspected, NodeDead:
		return true
	}
	return false
}

// Sink takes events. Implementations may not block: they are called on hot paths.
type Sink interface{ Emit(Event) }
