// Package pipeline writes the CI pipelines that `brownout init` leaves in a repository: they install
// brownout, run scenarios, keep the reports, and turn exit codes into a job's fate.
//
// What may not live here: running anything, knowing what a scenario says.
package pipeline

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// Config is one pipeline.
type Config struct {
	Forge     string   // "github" or "gitlab"
	Scenarios []string // names of built-in scenarios, or paths inside the repository
	Version   string   // of brownout, as `go install` takes it: "v0.1.0", "main"
	Go        string   // version of Go that builds it: "1.26"
}

//go:embed github.yml.tmpl
var github string

//go:embed gitlab.yml.tmpl
var gitlab string

//go:embed run.sh
var script string

// Path is where a forge looks for its pipeline, inside the repository.
func Path(forge string) (string, error) {
	switch forge {
	case "github":
		return ".github/workflows/brownout.yml", nil
	case "gitlab":
		return ".gitlab-ci.yml", nil
	}
	return "", fmt.Errorf("there is no pipeline for %.40q; write github or gitlab", forge)
}

// Text is the pipeline file. The error lists everything that is wrong with c.
func Text(c Config) ([]byte, error) {
	_, err := Path(c.Forge)
	wrong := []error{err}
	if len(c.Scenarios) == 0 {
		wrong = append(wrong, errors.New("no scenario is named; write --scenario NAME"))
	}
	for _, s := range c.Scenarios {
		wrong = append(wrong, checkScenario(s))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	text := github
	if c.Forge == "gitlab" {
		text = gitlab
	}
	t, err := template.New(c.Forge).Funcs(template.FuncMap{"script": indented}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, c)
	return b.Bytes(), err
}

// checkScenario lets through what means the same in YAML, in a shell and in a path: the name ends up
// in all three.
func checkScenario(s string) error {
	const harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./"
	switch {
	case s == "" || strings.Trim(s, harmless) != "" || strings.HasPrefix(s, "-"):
		return fmt.Errorf("--scenario %.80q cannot stand in a pipeline; write letters, digits, dots, dashes and slashes", s)
	case !filepath.IsLocal(s):
		return fmt.Errorf("--scenario %.80q lies outside of the repository; write a path inside it", s)
	}
	return nil
}

// indented is the script that runs one scenario, as lines of a YAML block.
func indented(forge string, spaces int) (string, error) {
	t, err := template.New("run.sh").Parse(script)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := t.Execute(&b, forge); err != nil {
		return "", err
	}
	pad := "\n" + strings.Repeat(" ", spaces)
	return strings.ReplaceAll(strings.TrimRight(b.String(), "\n"), "\n", pad), nil
}

// Write puts the pipeline into the repository at dir and returns its path. A file that is there stays
// as it is unless force is set.
func Write(dir string, c Config, force bool) (string, error) {
	text, err := Text(c)
	if err != nil {
		return "", err
	}
	name, err := Path(c.Forge)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("the pipeline's directory cannot be made: %w", err)
	}
	flags := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		flags = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(path, flags, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("%s is there already; merge by hand, or replace it with --force", path)
	}
	if err != nil {
		return "", fmt.Errorf("the pipeline cannot be written: %w", err)
	}
	_, err = f.Write(text)
	return path, errors.Join(err, f.Close())
}
