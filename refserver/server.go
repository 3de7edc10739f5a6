// Package refserver is the reference inference server: it composes the gateway (API, router,
// breakers, pool) with simulated machines and serves them until it is told to stop, losing nothing.
//
// What may not live here: the parts themselves; they are in the packages below. Fault injection
// knows this server, never the other way round.
package refserver

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/brownout-dev/brownout/internal/admin"
	"github.com/brownout-dev/brownout/internal/event"
	"github.com/brownout-dev/brownout/internal/pace"
	adminapi "github.com/brownout-dev/brownout/refserver/api/admin"
	"github.com/brownout-dev/brownout/refserver/api/openai"
	"github.com/brownout-dev/brownout/refserver/breaker"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/remote"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router"
	"github.com/brownout-dev/brownout/refserver/telemetry"
)

// Deps is what the surroundings give. Zero fields take the default in brackets.
type Deps struct {
	Log     *slog.Logger       // [discard]
	Version string             // shown in the admin state [dev]
	Clock   *event.Clock       // stamps all events; share it with a fault holder of the same process [new]
	Waiter  func() pace.Waiter // [the most exact of this system]
	Launch  remote.Launch      // starts node processes; needed for topology processes without addresses
}

// machines is what the server needs of package node.
type machines interface {
	adminapi.Control
	adminapi.Nodes
	Run(ctx context.Context) error
	Replicas() []node.Replica
	State() []admin.Node
	Steps() admin.Steps
	Saturation(prompt, output int) (all, minus1 float64)
}

// Server is one server; see Run.
type Server struct {
	cfg      Config
	log      *slog.Logger
	version  string
	started  time.Time
	clock    *event.Clock
	events   *event.Log
	machines machines
	pool     *pool.Pool
	router   *router.Router
	api      *openai.Handler
	admin    http.Handler

	ready    chan struct{} // closed by Run once both listeners accept
	stopping chan struct{} // closed by Run; ends event followers
	where    admin.Listening
}

// eventsKept is how many events the admin listener can replay.
const eventsKept = 4096

// New builds a server; nothing listens or runs before Run. The error lists all that is wrong with cfg.
func New(cfg Config, deps Deps) (*Server, error) {
	return build(cfg, deps, func(d node.Deps) (machines, error) {
		if cfg.Cluster.Topology != Processes {
			return node.New(cfg.node(), d)
		}
		return remote.New(remote.Config{
			Node: cfg.node(), Heartbeat: cfg.Cluster.Heartbeat, Addresses: cfg.Cluster.Addresses, Token: cfg.Cluster.NodeToken,
		}, remote.Deps{Events: d.Events, Clock: d.Clock, Log: deps.Log, Launch: deps.Launch})
	})
}

func build(cfg Config, deps Deps, newMachines func(node.Deps) (machines, error)) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = event.NewClock()
	}
	if deps.Waiter == nil {
		deps.Waiter = pace.New
	}
	if deps.Version == "" {
		deps.Version = "dev"
	}
	s := &Server{
		cfg: cfg, log: deps.Log, version: deps.Version, started: time.Now(), clock: deps.Clock,
		events: event.NewLog(deps.Clock, eventsKept),
		ready:  make(chan struct{}), stopping: make(chan struct{}),
	}
	var err error
	if s.machines, err = newMachines(node.Deps{Events: s.events, Clock: deps.Clock, Waiter: deps.Waiter}); err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	metrics, err := telemetry.New(registry, cfg.Cluster.Model)
	if err != nil {
		return nil, err
	}
	s.pool = s.newPool(metrics)
	rc := cfg.Router
	rc.Resilient = cfg.Resilience == Full
	s.router = router.New(rc, router.Deps{Pool: s.pool, Events: s.events, Observer: metrics})
	s.api = openai.New(cfg.API, openai.Deps{Router: s.router, Pool: s.pool, Meter: metrics, Log: s.log})
	err = errors.Join(
		registry.Register(collectors.NewGoCollector()),
		registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		registry.Register(telemetry.Gauges{Replicas: s.gauges, BudgetLeft: s.router.BudgetLeft}),
	)
	s.admin = s.newAdmin(promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	return s, err
}

// newPool makes every engine a member, behind a breaker of its own where there is resilience.
func (s *Server) newPool(metrics *telemetry.Metrics) *pool.Pool {
	cfg := pool.Config{Reload: s.cfg.Cluster.Reload, Ejection: s.cfg.Ejection}
	if s.cfg.Resilience == None {
		cfg.Ejection.Breaks = 0
	}
	engines := s.machines.Replicas()
	replicas := make([]pool.Replica, 0, len(engines))
	for _, e := range engines {
		r := pool.Replica{ID: e.ID, Node: e.Node, Device: e.Device, Model: e.Model, Engine: e.Engine}
		if s.cfg.Resilience == Full && s.cfg.Breaker.Enabled {
			r.Gate = breaker.New(s.cfg.Breaker, func(t breaker.Transition) {
				metrics.BreakerChanged(e.ID, t.To)
				s.events.Emit(event.Event{Source: "breaker", Kind: breakerKind(t.To), Target: e.ID, Reason: t.Reason})
				s.log.Info("breaker", "replica", e.ID, "from", t.From, "to", t.To, "reason", t.Reason)
			})
		}
		replicas = append(replicas, r)
	}
	return pool.New(cfg, replicas)
}

func breakerKind(to string) event.Kind {
	switch to {
	case "open":
		return event.BreakerOpened
	case "half-open":
		return event.BreakerHalfOpen
	default:
		return event.BreakerClosed
	}
}

func (s *Server) newAdmin(metrics http.Handler) http.Handler {
	deps := adminapi.Deps{
		Token: s.cfg.Admin.Token, Clock: s.clock, Events: s.events, State: s.State,
		Rate: s.machines.Saturation, Metrics: metrics, Status: controlStatus, Done: s.stopping,
	}
	if s.cfg.Admin.Control {
		deps.Control, deps.Nodes = s.machines, s.machines
	}
	return adminapi.New(deps)
}

func controlStatus(err error) int {
	switch {
	case errors.Is(err, node.ErrNoDevice), errors.Is(err, node.ErrNoNode):
		return http.StatusNotFound
	case errors.Is(err, node.ErrBadRequest):
		return http.StatusBadRequest
	default:
		return http.StatusConflict
	}
}

// Events is the server's timeline.
func (s *Server) Events() *event.Log { return s.events }

// Ready is closed once both listeners accept connections. Whether an engine is ready yet is
// another question: GET /readyz.
func (s *Server) Ready() <-chan struct{} { return s.ready }

// Listening is where the server can be reached. Call it after Ready.
func (s *Server) Listening() admin.Listening { return s.where }

// State is the body of GET /admin/state.
func (s *Server) State() admin.State {
	state := admin.State{
		Clock: s.clock.Read(), Version: s.version, Resilience: s.cfg.Resilience, Model: s.cfg.Cluster.Model,
		Uptime: time.Since(s.started).Seconds(), InFlight: s.api.InFlight(), Draining: s.api.Draining(),
		Nodes: s.machines.State(), Steps: s.machines.Steps(), Router: s.router.Stats(),
	}
	members := make(map[string]*pool.Member)
	for _, m := range s.pool.Members() {
		members[m.ID] = m
	}
	for i := range state.Nodes {
		for j := range state.Nodes[i].Replicas {
			r := &state.Nodes[i].Replicas[j]
			if m, ok := members[r.ID]; ok {
				r.Breaker, r.Served = m.GateState(), m.ServedTotal()
			}
		}
	}
	return state
}

func (s *Server) gauges() []telemetry.Replica {
	members := s.pool.Members()
	out := make([]telemetry.Replica, 0, len(members))
	for _, m := range members {
		out = append(out, telemetry.Replica{ID: m.ID, Model: m.Model, Breaker: m.GateState(), Load: m.Engine.Load()})
	}
	return out
}

func (s *Server) announce(apiAddress, adminAddress string) {
	s.where = admin.Listening{API: "http://" + apiAddress, PID: os.Getpid()}
	if adminAddress != "" {
		s.where.Admin = "http://" + adminAddress
	}
	s.log.Info("serving", "api", s.where.API, "admin", s.where.Admin, "resilience", s.cfg.Resilience,
		"model", s.cfg.Cluster.Model, "replicas", len(s.pool.Members()), "control", s.cfg.Admin.Control)
	close(s.ready)
}
