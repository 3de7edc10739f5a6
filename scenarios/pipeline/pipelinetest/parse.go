package pipelinetest

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// GitHub reads a workflow: one leg a scenario of its matrix.
func GitHub(text []byte) ([]Leg, error) {
	var file struct {
		On   map[string]any `yaml:"on"`
		Jobs map[string]struct {
			RunsOn   string `yaml:"runs-on"`
			Strategy struct {
				Matrix struct {
					Scenario []string `yaml:"scenario"`
				} `yaml:"matrix"`
			} `yaml:"strategy"`
			Env   map[string]string `yaml:"env"`
			Steps []struct {
				Name string            `yaml:"name"`
				Uses string            `yaml:"uses"`
				With map[string]string `yaml:"with"`
				Run  string            `yaml:"run"`
				If   string            `yaml:"if"`
			} `yaml:"steps"`
		} `yaml:"jobs"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	job, ok := file.Jobs["brownout"]
	if !ok || job.RunsOn == "" || len(file.On) == 0 || len(job.Steps) == 0 {
		return nil, fmt.Errorf("the workflow has no job brownout that something starts")
	}
	var legs []Leg
	for i, scenario := range job.Strategy.Matrix.Scenario {
		leg := Leg{Scenario: scenario, Env: map[string]string{}}
		var err error
		for k, v := range job.Env {
			if leg.Env[k], err = resolve(v, scenario, i); err != nil {
				return nil, err
			}
		}
		for _, s := range job.Steps {
			uses, version, _ := strings.Cut(s.Uses, "@")
			if (s.Uses == "") == (s.Run == "") || (s.Uses != "" && version == "") || (s.If != "" && s.If != "always()") {
				return nil, fmt.Errorf("step %q is neither a script nor an action of a version, or runs on an unknown condition", s.Name)
			}
			step := Step{Name: s.Name, Uses: uses, With: map[string]string{}, Always: s.If != ""}
			if step.Script, err = resolve(s.Run, "", 0); err != nil || strings.Contains(s.Run, "${{") {
				return nil, fmt.Errorf("step %q: an expression in a script can be made to run anything; use env", s.Name)
			}
			for k, v := range s.With {
				if step.With[k], err = resolve(v, scenario, i); err != nil {
					return nil, err
				}
			}
			leg.Steps = append(leg.Steps, step)
		}
		legs = append(legs, leg)
	}
	return legs, nil
}

// GitLab reads a .gitlab-ci.yml: one leg a scenario. Its scripts run in one shell, as GitLab does it.
func GitLab(text []byte) ([]Leg, error) {
	var file struct {
		Job struct {
			Image    string `yaml:"image"`
			Parallel struct {
				Matrix []map[string][]string `yaml:"matrix"`
			} `yaml:"parallel"`
			Variables map[string]string `yaml:"variables"`
			Before    []string          `yaml:"before_script"`
			Script    []string          `yaml:"script"`
			Artifacts struct {
				When    string   `yaml:"when"`
				Paths   []string `yaml:"paths"`
				Reports struct {
					JUnit string `yaml:"junit"`
				} `yaml:"reports"`
			} `yaml:"artifacts"`
		} `yaml:"brownout"`
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		return nil, err
	}
	job := file.Job
	if job.Image == "" || len(job.Script) == 0 || job.Artifacts.When != "always" {
		return nil, fmt.Errorf("the pipeline has no job brownout with an image, a script and artifacts that are always kept")
	}
	var legs []Leg
	for _, m := range job.Parallel.Matrix {
		for _, scenario := range m["SCENARIO"] {
			env := map[string]string{"SCENARIO": scenario}
			for k, v := range job.Variables {
				env[k] = v
			}
			keep := func(name, paths string) Step {
				return Step{Name: name, Uses: "actions/upload-artifact", Always: true, With: map[string]string{"name": name, "path": paths}}
			}
			legs = append(legs, Leg{Scenario: scenario, Env: env, Steps: []Step{
				{Name: "Run", Script: strings.Join(append(job.Before, job.Script...), "\n")},
				keep("artifacts", strings.Join(job.Artifacts.Paths, "\n")), keep("junit", job.Artifacts.Reports.JUnit),
			}})
		}
	}
	return legs, nil
}
