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

// owned says what to do instead of setting a config key that a scenario has its own key for, or that a run
// sets; empty for any other key.
func owned(path string) string {
	top, _, _ := strings.Cut(path, ".")
	switch {
	case path == "preset" || path == "resilience":
		return "write target.refserver." + path
	case path == "cluster.topology":
		return "write target.refserver.topology"
	case path == "listen":
		return "remove it: a run takes free ports"
	case top == "admin":
		return "remove it: a run sets its own listener and token"
	}
	return ""
}

// settings reads target.refserver.settings, each value as an assignment.
func (c *checker) settings() []string {
	leaves := c.doc.Leaves(settingsPath)
	if len(leaves) == 0 {
		return nil
	}
	out := make([]string, 0, len(leaves))
	for _, leaf := range leaves {
		if mend := owned(leaf.Path); mend != "" {
			c.wrong(settingsPath+"."+leaf.Path, "is not a setting to change here", mend)
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
