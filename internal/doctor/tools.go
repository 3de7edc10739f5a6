package doctor

import (
	"context"
	"fmt"
	"strings"
)

// Engine is what the Docker engine says of itself.
type Engine struct {
	Version, API string
	Images       []string // that container journeys use and that are there
}

func (m *Machine) docker(ctx context.Context) Finding {
	e, err := m.Docker(ctx)
	f := Finding{Group: "docker", Name: "docker", Level: OK}
	if err != nil {
		f.Found = "no engine answers: scenarios run as child processes, container journeys skip"
		return f
	}
	f.Found = fmt.Sprintf("engine %s, API %s", e.Version, e.API)
	reaper := false
	for _, image := range e.Images {
		reaper = reaper || strings.Contains(image, "testcontainers/ryuk")
	}
	if len(e.Images) > 0 {
		f.Found += ", images " + strings.Join(e.Images, " ")
	}
	if !reaper {
		f.Advice = "for this project's own tests: the image testcontainers/ryuk, which removes containers after a test that died, is not here: pull it, or set TESTCONTAINERS_RYUK_DISABLED=true where it cannot be pulled"
	}
	return f
}

// gpu looks at files alone: loading NVML where no driver is can end the process.
func (m *Machine) gpu() Finding {
	f := Finding{Group: "gpu", Name: "nvidia", Level: OK, Found: "no driver: simulated GPUs only"}
	if text, ok := m.text("proc/driver/nvidia/version"); ok {
		line, _, _ := strings.Cut(text, "\n")
		_, version, _ := strings.Cut(line, ":")
		f.Found = "driver " + strings.Join(strings.Fields(version), " ")
	}
	return f
}

func (m *Machine) tools() Finding {
	build := m.Build()
	parts := make([]string, 0, len(build))
	for _, v := range build {
		parts = append(parts, v.Name+" "+v.Version)
	}
	return Finding{Group: "tools", Name: "versions", Level: OK, Found: strings.Join(parts, ", ")}
}
