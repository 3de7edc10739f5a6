package spec

import (
	"errors"
	"strings"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

// settingsPath is where a scenario changes its server's config.
const settingsPath = "target.refserver.settings"

// ServerCheck says what is wrong with a target's server: Problems whose paths are keys of its config
// file, or another error. Whoever knows that server brings it to Parse, which does not.
type ServerCheck func(Target) error

// owned are the config keys that a scenario has its own keys for, or that a run sets.
var owned = []struct{ key, mend string }{
	{"preset", "write target.refserver.preset"},
	{"resilience", "write target.refserver.resilience"},
	{"cluster.topology", "write target.refserver.topology"},
	{"listen", "remove it: a run takes free ports"},
	{"admin", "remove it: a run sets its own listener and token"},
}

// settings reads target.refserver.settings, each value as an assignment.
func (c *checker) settings() []string {
	var out []string
	for _, leaf := range c.doc.Leaves(settingsPath) {
		for _, o := range owned {
			if leaf.Path == o.key || strings.HasPrefix(leaf.Path, o.key+".") {
				c.wrong(settingsPath+"."+leaf.Path, "is not a setting to change here", o.mend)
			}
		}
		out = append(out, leaf.Assignment())
	}
	return out
}

// server has the target checked by whoever knows its server.
func (c *checker) server(t Target) {
	if c.check == nil || len(t.Settings) == 0 || c.reading.Touches("target") {
		return
	}
	err := c.check(t)
	if err == nil {
		return
	}
	problems, ok := errors.AsType[yamlx.Problems](err)
	if !ok {
		c.wrong(settingsPath, err.Error(), "")
		return
	}
	for _, p := range problems {
		path := settingsPath
		if p.Path != "" {
			path += "." + p.Path
		}
		if c.found.Touches(path) {
			continue
		}
		c.wrong(path, "the server says: "+p.What, p.Mend)
	}
}

// settings says what the server's config is changed to.
func (e *explainer) settings() {
	if len(e.Target.Settings) == 0 {
		return
	}
	for _, l := range wrap("with "+strings.Join(e.Target.Settings, ", "), width-10) {
		e.line("          %s", l)
	}
}
