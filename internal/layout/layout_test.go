package layout

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/brownout-dev/brownout"

// pkg is what this test needs of `go list -json`.
type pkg struct {
	ImportPath string
	Doc        string
	Imports    []string
	Deps       []string
	GoFiles    []string
}

// rule: packages under From may import, of this module, only what is under one of May (besides
// themselves and everything under internal).
type rule struct {
	From string
	May  []string
}

// rules holds the first match for a package; longer prefixes come first.
var rules = []rule{
	{"internal", nil},
	{"refserver/engine/sim", []string{"refserver/engine", "refserver/gpu"}},
	{"refserver/engine", nil},
	{"refserver/gpu", nil},
	{"refserver/pool", []string{"refserver/engine", "refserver/breaker"}},
	{"refserver/breaker", []string{"refserver/engine"}},
	{"refserver/router", []string{"refserver/engine", "refserver/pool", "refserver/breaker"}},
	{"refserver/node", []string{"refserver/engine", "refserver/gpu"}},
	{"refserver/telemetry", []string{"refserver/engine"}},
	{"refserver/api", []string{"refserver/engine", "refserver/router", "refserver/pool"}},
	{"refserver", []string{"refserver"}}, // the composition root alone: see refusals
	{"faults/drivers", []string{"faults"}},
	{"faults/agent", []string{"faults"}},
	{"faults", nil},
	{"reports", []string{"reports", "faults"}},
	{"scenarios/load", nil},
	{"scenarios", []string{"scenarios", "faults", "reports"}},
	{"k6ext", []string{"k6ext", "faults", "scenarios/load", "reports/record", "reports/slo"}},
	{"cmd/refserver", []string{"refserver"}},
	{"cmd", []string{"cmd", "refserver", "faults", "reports", "scenarios", "k6ext"}},
	{"e2e/virtual", []string{"refserver", "reports", "scenarios"}}, // tests alone: whole loads in virtual time
	{"e2e", []string{"e2e", "reports", "faults", "scenarios"}},
}

// refusals says why an import is forbidden, or nothing.
func refusals(p pkg) []string {
	self := strings.TrimPrefix(p.ImportPath, module+"/")
	var bad []string
	for _, r := range rules {
		if !under(self, r.From) {
			continue
		}
		if r.From == "refserver" && self != r.From {
			bad = append(bad, self+" needs a rule of its own: only the composition root may import everything")
		}
		for _, imp := range p.Imports {
			room, ours := strings.CutPrefix(imp, module+"/")
			if !ours || under(room, r.From) || under(room, "internal") {
				continue
			}
			if !anyUnder(room, r.May) {
				bad = append(bad, self+" may not import "+room)
			}
		}
		break
	}
	if !under(self, "k6ext") && !under(self, "cmd/brownout") && p.ImportPath != module {
		for _, dep := range p.Deps {
			if strings.HasPrefix(dep, "go.k6.io/k6") {
				bad = append(bad, self+" may not link k6 (AGPL-3.0)")
				break
			}
		}
	}
	return bad
}

func under(room, prefix string) bool { return room == prefix || strings.HasPrefix(room, prefix+"/") }

func anyUnder(room string, prefixes []string) bool {
	for _, p := range prefixes {
		if under(room, p) {
			return true
		}
	}
	return false
}

func TestRooms(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Doc,Imports,Deps,GoFiles", module+"/...").Output()
	require.NoError(t, err)
	dec := json.NewDecoder(strings.NewReader(string(out)))
	seen := 0
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
		seen++
		assert.Empty(t, refusals(p))
		if len(p.GoFiles) > 0 {
			assert.NotEmpty(t, p.Doc, "%s needs a package comment that says what lives there", p.ImportPath)
		}
	}
	assert.Greater(t, seen, 15)
}

// The negative control: each planted import is refused.
func TestForbiddenImportsAreRefused(t *testing.T) {
	for _, tc := range []struct{ from, to string }{
		{"refserver/router", "faults"},
		{"refserver/router", "refserver/api/openai"},
		{"refserver/engine", "refserver/gpu"},
		{"faults", "refserver"},
		{"reports/slo", "scenarios/load"},
		{"scenarios/run", "refserver"},
		{"scenarios/load", "faults"},
		{"k6ext/client", "scenarios/spec"},
		{"internal/event", "faults"},
		{"cmd/refserver", "faults"},
	} {
		assert.NotEmpty(t, refusals(pkg{ImportPath: module + "/" + tc.from, Imports: []string{module + "/" + tc.to}}), "%s → %s", tc.from, tc.to)
	}
	assert.NotEmpty(t, refusals(pkg{ImportPath: module + "/refserver/cache"}), "a room without a rule")
	assert.NotEmpty(t, refusals(pkg{ImportPath: module + "/refserver", Deps: []string{"go.k6.io/k6/v2/lib"}}))
	assert.NotEmpty(t, refusals(pkg{ImportPath: module + "/cmd/refserver", Deps: []string{"go.k6.io/k6/v2/lib"}}))
	assert.Empty(t, refusals(pkg{ImportPath: module + "/k6ext", Deps: []string{"go.k6.io/k6/v2/lib"}}))
}
