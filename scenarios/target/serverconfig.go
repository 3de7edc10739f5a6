package target

import (
	"fmt"
	"os"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

// ServerConfig is the config file of a reference server: configFile, or an empty file on preset where
// that is "", with settings ("router.resumes=0") written over it. name is what errors about it call it.
func ServerConfig(preset, configFile string, settings []string) (name string, data []byte, err error) {
	name, data = "server.yaml", []byte("preset: "+preset+"\n")
	if configFile != "" {
		name = configFile
		if data, err = os.ReadFile(configFile); err != nil {
			return name, nil, fmt.Errorf("cannot read the server's config: %w", err)
		}
	}
	data, err = yamlx.Set(name, data, settings)
	return name, data, err
}
