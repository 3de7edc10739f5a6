package refserver

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
	"github.com/brownout-dev/brownout/refserver/api/openai"
	"github.com/brownout-dev/brownout/refserver/breaker"
	"github.com/brownout-dev/brownout/refserver/node"
	"github.com/brownout-dev/brownout/refserver/node/remote"
	"github.com/brownout-dev/brownout/refserver/pool"
	"github.com/brownout-dev/brownout/refserver/router"
)

// Resilience words.
const (
	Full = "full" // every protection
	None = "none" // the control group: round robin, the first failure is final
)

// TokenVariable is the environment variable that WithEnvironment reads the admin token from.
const TokenVariable = "BROWNOUT_ADMIN_TOKEN"

// Config is the whole server. A Config comes from Preset or Load; both fill in every field.
type Config struct {
	Preset     string         `yaml:"preset"`     // the defaults that the rest changes
	Resilience string         `yaml:"resilience"` // full, none
	Listen     string         `yaml:"listen"`     // host:port of the API; port 0 takes a free one
	Drain      time.Duration  `yaml:"drain"`      // for requests inside to finish after a stop; then they are broken
	Admin      Admin          `yaml:"admin"`      //
	API        openai.Config  `yaml:"api"`        //
	Router     router.Config  `yaml:"router"`     //
	Breaker    breaker.Config `yaml:"breaker"`    //
	Ejection   pool.Ejection  `yaml:"ejection"`   //
	Cluster    Cluster        `yaml:"cluster"`    //
}

// Admin is the admin listener.
type Admin struct {
	Listen  string `yaml:"listen"`  // host:port; "" turns it off
	Token   string `yaml:"token"`   // bearer token; better given in the environment (BROWNOUT_ADMIN_TOKEN)
	Control bool   `yaml:"control"` // the control calls exist; needs a token
}

// Topologies.
const (
	Single    = "single"    // all nodes inside the server's process
	Processes = "processes" // each node is a process of its own, spoken to over gRPC
)

// NodeTokenVariable is the environment variable that WithEnvironment reads the node token from.
const NodeTokenVariable = "BROWNOUT_NODE_TOKEN"

// Cluster is the simulated machines of the server.
//
// With topology processes and no addresses the server starts the nodes itself, which takes a program
// that can (brownout serve): a node that dies is started again and serves once it has loaded. With
// addresses it uses nodes that somebody else runs (brownout node, refserver node), the first address
// being n1's. Gateway and nodes need the same nodes, gpus_per_node and model.
type Cluster struct {
	Topology  string           `yaml:"topology"`   // single, processes
	Addresses []string         `yaml:"addresses"`  // host:port of each node, for topology processes
	NodeToken string           `yaml:"node_token"` // that nodes ask for; better given in the environment (BROWNOUT_NODE_TOKEN)
	Heartbeat remote.Heartbeat `yaml:"heartbeat"`  // for topology processes

	Nodes             int           `yaml:"nodes"`
	GPUsPerNode       int           `yaml:"gpus_per_node"` // one replica on each
	GPU               string        `yaml:"gpu"`           // "h100-80gb"
	Model             string        `yaml:"model"`         // "llama-3.1-8b"
	TokenBudget       int           `yaml:"token_budget"`  // tokens an engine step
	MaxSequences      int           `yaml:"max_sequences"` // in an engine's batch
	MaxWaiting        int           `yaml:"max_waiting"`   // in an engine's queue; without resilience it is not bounded by this
	MemoryUtilisation float64       `yaml:"memory_utilisation"`
	Slowdown          float64       `yaml:"slowdown"`   // every engine step takes so many times as long; 0 = 1. A planted regression
	Reload            time.Duration `yaml:"reload"`     // from a new engine process to serving
	FirstLoad         time.Duration `yaml:"first_load"` // the same when the server starts
}

// unboundedQueue stands for vLLM's queue, which has no bound: the control group admits everything.
const unboundedQueue = 1 << 16

func (c Config) node() node.Config {
	n := node.Config{
		Nodes: c.Cluster.Nodes, GPUsPerNode: c.Cluster.GPUsPerNode, GPU: c.Cluster.GPU, Model: c.Cluster.Model,
		TokenBudget: c.Cluster.TokenBudget, MaxSequences: c.Cluster.MaxSequences, MaxWaiting: c.Cluster.MaxWaiting,
		MemoryUtilisation: c.Cluster.MemoryUtilisation, Graceful: c.Resilience == Full, Slowdown: c.Cluster.Slowdown,
		Reload: c.Cluster.Reload, FirstLoad: c.Cluster.FirstLoad,
	}
	if c.Resilience == None {
		n.MaxWaiting = unboundedQueue
	}
	return n
}

// WithEnvironment takes the tokens from the environment where the config names none.
func (c Config) WithEnvironment(getenv func(string) string) Config {
	if c.Admin.Token == "" {
		c.Admin.Token = getenv(TokenVariable)
	}
	if c.Cluster.NodeToken == "" {
		c.Cluster.NodeToken = getenv(NodeTokenVariable)
	}
	return c
}

// maxFile bounds a config file.
const maxFile = 1 << 20

// Load reads a YAML file over the preset that it names [chat-8b]. The error lists everything that
// is wrong with it, one sentence a line, with file and line.
func Load(file string) (Config, error) {
	f, err := os.Open(file)
	if err != nil {
		return Config{}, fmt.Errorf("the config file cannot be read: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("the config file cannot be read: %w", err)
	}
	if len(data) > maxFile {
		return Config{}, fmt.Errorf("%s is larger than %d bytes; it cannot be a server's config", file, maxFile)
	}
	return Parse(file, data)
}

// Parse is Load for a file's content; file is what errors name.
func Parse(file string, data []byte) (Config, error) {
	cfg, _ := Preset(DefaultPreset)
	doc, err := yamlx.Decode(file, data, &cfg)
	if cfg.Preset != DefaultPreset {
		name := cfg.Preset
		var known bool
		if cfg, known = Preset(name); !known {
			return Config{}, yamlx.Join(unread(err), yamlx.Problems{
				doc.Problem("preset", "there is no such preset", "write one of "+strings.Join(Presets(), ", ")),
			})
		}
		doc, err = yamlx.Decode(file, data, &cfg)
	}
	broken := unread(err)
	if slices.ContainsFunc(broken, func(p yamlx.Problem) bool { return p.Path == "" }) {
		return Config{}, broken // not a document: nothing in it can be judged
	}
	var problems yamlx.Problems
	whole := cfg
	if whole.Admin.Token == "" {
		whole.Admin.Token = "-" // it may still come from the environment; New looks again
	}
	whole.check(func(path, what, mend string) {
		if !broken.Touches(path) {
			problems = append(problems, doc.Problem(path, what, mend))
		}
	})
	return cfg, yamlx.Join(broken, problems)
}

// unread is what Decode complained of.
func unread(err error) yamlx.Problems {
	problems, _ := errors.AsType[yamlx.Problems](err)
	return problems
}

// Validate reports everything that is wrong, one sentence each, joined.
func (c Config) Validate() error {
	var errs []error
	c.check(func(path, what, mend string) { errs = append(errs, fmt.Errorf("%s: %s; %s", path, what, mend)) })
	return errors.Join(errs...)
}

func (c Config) check(report func(path, what, mend string)) {
	if c.Resilience != Full && c.Resilience != None {
		report("resilience", fmt.Sprintf("%q is not a resilience", c.Resilience), "write full or none")
	}
	if c.Drain < 0 || c.Drain > time.Hour {
		report("drain", fmt.Sprintf("%v is not between 0s and 1h", c.Drain), "write for example 10s")
	}
	if err := address(c.Listen); err != nil {
		report("listen", err.Error(), "write for example 127.0.0.1:8000")
	}
	c.Admin.check(report)
	under := func(prefix string) func(key, what, mend string) {
		return func(key, what, mend string) { report(prefix+"."+key, what, mend) }
	}
	c.API.Validate(under("api"))
	c.Router.Validate(under("router"))
	c.Breaker.Validate(under("breaker"))
	c.Ejection.Validate(under("ejection"))
	c.Cluster.check(under("cluster"))
	if err := c.node().WithDefaults().Validate(); err != nil {
		report("cluster", strings.ReplaceAll(err.Error(), "\n", "; "), "correct it there")
	}
}

func (c Cluster) check(report func(key, what, mend string)) {
	switch c.Topology {
	case Processes:
		c.Heartbeat.Validate(func(key, what, mend string) { report("heartbeat."+key, what, mend) })
	case Single, "":
		if len(c.Addresses) > 0 {
			report("addresses", "addresses are given, but the nodes are inside the server", "add topology: processes")
		}
	default:
		report("topology", fmt.Sprintf("%q is not a topology", c.Topology), "write single or processes")
	}
	if n := len(c.Addresses); n > 0 && n != c.Nodes {
		report("addresses", fmt.Sprintf("there are %d addresses for %d nodes", n, c.Nodes), "give one for each node")
	}
	for _, a := range c.Addresses {
		if err := address(a); err != nil {
			report("addresses", err.Error(), "write for example 127.0.0.1:7001")
		}
	}
}

func (a Admin) check(report func(path, what, mend string)) {
	if a.Control && a.Listen == "" {
		report("admin.control", "control calls need the admin listener, which is off", "set admin.listen, for example 127.0.0.1:9000")
	}
	if a.Control && a.Token == "" {
		report("admin.control", "control calls need a token", "set "+TokenVariable+" in the environment")
	}
	if a.Listen == "" {
		return
	}
	if err := address(a.Listen); err != nil {
		report("admin.listen", err.Error(), "write for example 127.0.0.1:9000")
		return
	}
	if !loopback(a.Listen) && a.Token == "" {
		report("admin.listen", a.Listen+" can be reached from other machines, and there is no admin token",
			"set "+TokenVariable+" in the environment, or listen on 127.0.0.1")
	}
}

func address(s string) error {
	if _, port, err := net.SplitHostPort(s); err != nil || port == "" {
		return fmt.Errorf("%q is not host:port", s)
	}
	return nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
