package modules

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What scripts get has the fields that the types promise, and no others.
func TestTypesAreWhatScriptsGet(t *testing.T) {
	types, err := os.ReadFile("../index.d.ts")
	require.NoError(t, err)
	for name, v := range map[string]any{"ChatResult": Answer{}, "Gaps": Gaps{}, "Held": Held{}, "Recovery": Recovered{}} {
		body := regexp.MustCompile(`(?s)export interface ` + name + ` \{(.*?)\n  \}`).FindSubmatch(types)
		require.NotNil(t, body, name)
		var promised, given []string
		for _, m := range regexp.MustCompile(`(?m)^    (\w+): `).FindAllSubmatch(body[1], -1) {
			promised = append(promised, string(m[1]))
		}
		for i := range reflect.TypeOf(v).NumField() {
			given = append(given, reflect.TypeOf(v).Field(i).Tag.Get("js"))
		}
		assert.ElementsMatch(t, promised, given, name)
	}
}
