package router

import (
	"github.com/brownout-dev/brownout/refserver/engine"
)

// Outcome is how one attempt ended.
type Outcome uint8

// Outcomes.
const (
	Complete Outcome = iota
	ClientLeft
	EngineDead
	EngineLoading
	EngineOOM
	EngineMigrated
	EngineOverloaded
	EngineTooLong
	EngineBadRequest
	EngineUnreachable
	EngineProtocol
	EngineUnknown
	FirstTokenTimeout
	IdleTimeout
	TotalTimeout
	ReplicaLags // the router left a replica that had become slow
	numOutcomes // a test walks up to here: a new member must be classified
)

var outcomeNames = [numOutcomes]string{
	Complete: "ok", ClientLeft: "client_cancel",
	EngineDead: string(engine.ReasonDead), EngineLoading: string(engine.ReasonLoading),
	EngineOOM: string(engine.ReasonOOM), EngineMigrated: string(engine.ReasonMigrate),
	EngineOverloaded: string(engine.ReasonOverloaded), EngineTooLong: string(engine.ReasonTooLong),
	EngineBadRequest: string(engine.ReasonBadRequest), EngineUnreachable: string(engine.ReasonUnreachable),
	EngineProtocol: string(engine.ReasonProtocol), EngineUnknown: string(engine.ReasonUnknown),
	FirstTokenTimeout: "timeout_first_token", IdleTimeout: "timeout_idle", TotalTimeout: "timeout_total",
	ReplicaLags: "replica_slow",
}

// String is the word used in events, metrics and logs.
func (o Outcome) String() string { return outcomeNames[o] }

// outcomeOf reads an engine's error. An unknown reason is EngineUnknown: labels stay bounded.
func outcomeOf(e *engine.Error) Outcome {
	for o := EngineDead; o <= EngineUnknown; o++ {
		if outcomeNames[o] == string(e.Reason) {
			return o
		}
	}
	return EngineUnknown
}

// blames reports whether the outcome says something about the replica's health. Hand-backs, full
// queues, known reloads and the caller's own mistakes do not.
func (o Outcome) blames() bool {
	switch o {
	case EngineDead, EngineOOM, EngineUnreachable, EngineProtocol, EngineUnknown, FirstTokenTimeout, IdleTimeout:
		return true
	}
	return false
}

// callers reports whether the caller alone is the reason: no sign of a sick replica.
func (o Outcome) callers() bool {
	return o == ClientLeft || o == EngineTooLong || o == EngineBadRequest
}

// Action is what becomes of a request after an attempt.
type Action uint8

// Actions.
const (
	Deliver Action = iota // it is whole
	Retry                 // from the start, elsewhere
	Resume                // from the last token sent, elsewhere
	GiveUp
)

var actionNames = [...]string{Deliver: "deliver", Retry: "retry", Resume: "resume", GiveUp: "give_up"}

// String is the word used in events.
func (a Action) String() string { return actionNames[a] }

// Fate is an action with its reason word. Charged: the retry costs the shared budget.
type Fate struct {
	Action  Action
	Why     string
	Charged bool
}

// Situation is all that a request's fate depends on.
type Situation struct {
	Outcome  Outcome
	Started  bool // content was delivered
	Attempts int  // begun, the ended one included
	Retries  int  // charged ones
	Resumes  int  // counted ones
	Kills    int  // engines it ended
	Budget   bool // the shared budget would grant a retry
}

// Decide is the one place where the fate of a request is settled.
func Decide(s Situation, c Config) Fate {
	switch {
	case s.Outcome == Complete:
		return Fate{Action: Deliver, Why: "complete"}
	case s.Outcome == ClientLeft:
		return Fate{Action: GiveUp, Why: "client_gone"}
	case s.Outcome == TotalTimeout:
		return Fate{Action: GiveUp, Why: "deadline"}
	case s.Outcome.callers():
		return Fate{Action: GiveUp, Why: "rejected"}
	case !c.Resilient:
		return Fate{Action: GiveUp, Why: "resilience_off"}
	case s.Kills >= c.PoisonKills:
		return Fate{Action: GiveUp, Why: "poison"}
	case s.Attempts >= c.Attempts:
		return Fate{Action: GiveUp, Why: "attempts_spent"}
	case s.Outcome == ReplicaLags:
		return Fate{Action: Resume, Why: "moved"}
	case s.Started && s.Outcome == EngineMigrated:
		return Fate{Action: Resume, Why: "handed_back"}
	case s.Outcome == EngineMigrated:
		return Fate{Action: Retry, Why: "handed_back"}
	case s.Started && s.Resumes >= c.Resumes:
		return Fate{Action: GiveUp, Why: "resumes_spent"}
	case s.Started:
		return Fate{Action: Resume, Why: "started"}
	case s.Retries >= c.Retries:
		return Fate{Action: GiveUp, Why: "retries_spent"}
	case !s.Budget:
		return Fate{Action: GiveUp, Why: "budget_spent"}
	}
	return Fate{Action: Retry, Why: "not_started", Charged: true}
}
