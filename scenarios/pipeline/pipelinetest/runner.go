// Package pipelinetest runs the pipelines of package pipeline without a forge: every step's script by
// sh, every action by a stub that does what of it can be seen.
//
// What may not live here: a general runner. What our pipelines do not use is an error.
package pipelinetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Step is one step of a leg.
type Step struct {
	Name   string
	Script string            // for sh; "" with an action
	Uses   string            // an action, without its version
	With   map[string]string // its inputs
	Always bool              // also after a failure
}

// Leg is one job as it is run for one scenario.
type Leg struct {
	Scenario string
	Env      map[string]string
	Steps    []Step
}

// Outcome is what a leg left behind.
type Outcome struct {
	OK        bool
	Code      int                 // of the step that failed; 0
	Ran       []string            // names of the steps that ran
	Output    string              // of all of them
	Summary   string              // what was written to the step summary
	Artifacts map[string][]string // name → files, sorted, relative to the directory
}

// Run runs the leg in dir. env is added to the environment of every step; scratch is an empty
// directory outside of dir.
func (l Leg) Run(ctx context.Context, dir, scratch string, env ...string) (Outcome, error) {
	out := Outcome{OK: true, Artifacts: map[string][]string{}}
	var log bytes.Buffer
	paths, summary := filepath.Join(scratch, "path"), filepath.Join(scratch, "summary")
	for _, file := range []string{paths, summary} {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return out, err
		}
	}
	base := append(os.Environ(), env...)
	for _, k := range slices.Sorted(maps.Keys(l.Env)) {
		base = append(base, k+"="+l.Env[k])
	}
	base = append(base, "RUNNER_TEMP="+scratch, "GITHUB_PATH="+paths, "GITHUB_STEP_SUMMARY="+summary, "CI_PROJECT_DIR="+dir)
	for _, s := range l.Steps {
		if !out.OK && !s.Always {
			continue
		}
		out.Ran = append(out.Ran, s.Name)
		code, err := s.run(ctx, dir, withPath(base, paths), &log, out.Artifacts)
		if err != nil {
			return out, fmt.Errorf("step %q: %w\n%s", s.Name, err, &log)
		}
		if code != 0 {
			out.OK, out.Code = false, code
		}
	}
	said, err := os.ReadFile(summary)
	out.Output, out.Summary = log.String(), string(said)
	return out, err
}

// withPath puts the directories that earlier steps wrote to GITHUB_PATH before the others.
func withPath(env []string, file string) []string {
	added, _ := os.ReadFile(file) // it was made above
	path := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			path = v
		}
	}
	for line := range strings.Lines(string(added)) {
		path = strings.TrimSpace(line) + string(os.PathListSeparator) + path
	}
	return append(slices.Clone(env), "PATH="+path)
}

func (s Step) run(ctx context.Context, dir string, env []string, log *bytes.Buffer, artifacts map[string][]string) (int, error) {
	switch s.Uses {
	case "":
		c := exec.CommandContext(ctx, "sh", "-e", "-c", s.Script)
		c.Dir, c.Env, c.Stdout, c.Stderr = dir, env, log, log
		err := c.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return exit.ExitCode(), nil
		}
		return 0, err
	case "actions/checkout", "actions/setup-go":
		return 0, nil // the repository and Go are there
	case "actions/upload-artifact":
		name := s.With["name"]
		if _, twice := artifacts[name]; twice || name == "" {
			return 1, fmt.Errorf("artifact %q has no name of its own", name)
		}
		files, err := matching(dir, s.With["path"])
		artifacts[name] = files
		return 0, err
	}
	return 1, fmt.Errorf("there is no stub for action %q", s.Uses)
}

// matching lists the files that patterns name, one a line; a directory stands for all in it.
func matching(dir, patterns string) ([]string, error) {
	var files []string
	for pattern := range strings.Lines(patterns) {
		found, err := filepath.Glob(filepath.Join(dir, strings.TrimSpace(pattern)))
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			err := filepath.WalkDir(f, func(path string, d os.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					rel, _ := filepath.Rel(dir, path) // both are absolute or both relative
					files = append(files, rel)
				}
				return err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	slices.Sort(files)
	return files, nil
}

// resolve replaces the few expressions that our pipelines use.
func resolve(text, scenario string, index int) (string, error) {
	text = strings.NewReplacer("${{ matrix.scenario }}", scenario, "${{ strategy.job-index }}", strconv.Itoa(index)).Replace(text)
	if strings.Contains(text, "${{") {
		return "", fmt.Errorf("an expression in %q is not known", text)
	}
	return text, nil
}
