package e2e

import (
	"fmt"
	"os"
	"testing"
)

// TestMain keeps `go test ./...` quick: these journeys take minutes and need the built binary.
func TestMain(m *testing.M) {
	if os.Getenv("BROWNOUT_E2E") == "" {
		fmt.Println("e2e: not run; use make test, make scenarios, make e2e or make soak")
		os.Exit(0)
	}
	os.Exit(m.Run())
}
