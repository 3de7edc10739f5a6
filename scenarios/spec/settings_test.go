package spec

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

var withSettings = strings.Replace(twoVariants, "refserver: {preset: chat-8b, resilience: full}", `refserver:
    preset: chat-8b
    settings:
      router: {resumes: 0}
      cluster:
        max_sequences: 1`, 1)

func TestSettings(t *testing.T) {
	assert.Empty(t, parse(t, base).Target.Settings, "none by default")
	s := parse(t, withSettings, "target.refserver.settings.router.idle=1h", "target.refserver.settings.cluster.max_sequences=2")
	assert.Equal(t, []string{"router.resumes=0", "router.idle=1h", "cluster.max_sequences=2"}, s.Target.Settings)
	assert.Contains(t, Explain(s, ExplainInfo{}), "\n          with router.resumes=0, router.idle=1h, cluster.max_sequences=2\n")
	assert.NotEqual(t, parse(t, withSettings).Digest, s.Digest)

	later := s.WithSeed(3)
	later.Target.Settings[0] = "x"
	assert.Equal(t, "router.resumes=0", s.Target.Settings[0], "each is a copy")
}

// The check sees the scenario and every variant, and what it says is told where it was written.
func TestServerCheck(t *testing.T) {
	text := strings.Replace(withSettings, "load.max_in_flight=500", "target.refserver.settings.cluster.nodes=9", 1)
	var seen []string
	check := func(t Target) error {
		seen = append(seen, strings.Join(t.Settings, " "))
		var problems yamlx.Problems
		for _, s := range t.Settings {
			if key, value, _ := strings.Cut(s, "="); value != "0" {
				problems = append(problems, yamlx.Problem{Path: key, What: value + " is too many", Mend: "write 0"})
			}
		}
		return yamlx.Join(problems, nil)
	}
	_, err := ParseWith("s.yaml", []byte(text), nil, check)
	require.Error(t, err)
	assert.Equal(t, []string{"router.resumes=0 cluster.max_sequences=1", "router.resumes=0 cluster.max_sequences=1", "router.resumes=0 cluster.max_sequences=1 cluster.nodes=9"}, seen)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 2, err.Error())
	assert.Equal(t, "s.yaml:10:24: target.refserver.settings.cluster.max_sequences: the server says: 1 is too many; write 0", lines[0])
	assert.Contains(t, lines[1], "variants[1].set[1]: target.refserver.settings.cluster.nodes: the server says: 9 is too many")

	seen = nil
	_, err = ParseWith("s.yaml", []byte(base), nil, check)
	require.NoError(t, err)
	assert.Empty(t, seen, "nothing is changed, nothing is asked")

	_, err = ParseWith("s.yaml", []byte(withSettings), nil, func(Target) error { return errors.New("no such file") })
	assert.ErrorContains(t, err, "s.yaml:7:5: target.refserver.settings: no such file")
}

func TestSettingsThatAreNotOnes(t *testing.T) {
	for setting, mend := range map[string]string{
		"preset=x": "target.refserver.preset", "resilience=none": "target.refserver.resilience", "cluster.topology=single": "target.refserver.topology",
		"listen=x": "free ports", "admin.listen=x": "a run sets its own", "admin.token=x": "a run sets its own",
	} {
		_, err := Parse("s.yaml", []byte(base), []string{"target.refserver.settings." + setting})
		require.ErrorContains(t, err, mend, setting)
	}
	for _, fine := range []string{"listens.x=1", "administer=1"} {
		_, err := Parse("s.yaml", []byte(base), []string{"target.refserver.settings." + fine})
		assert.NoError(t, err, "whether there is such a key is the server's to say")
	}
}

func TestPublished(t *testing.T) {
	s := parse(t, "published: |\n  248 → 96 ms,\n  by batching\n"+twoVariants)
	assert.Equal(t, "248 → 96 ms, by batching", s.Published)
	assert.Contains(t, Explain(s, ExplainInfo{}), "published for another system: 248 → 96 ms, by batching")
	_, err := Parse("s.yaml", []byte("published: 1 to 2\n"+base), nil)
	require.ErrorContains(t, err, "no variants to read it beside")
	_, err = Parse("s.yaml", []byte("published: "+strings.Repeat("x", 401)+"\n"+twoVariants), nil)
	assert.ErrorContains(t, err, "write at most 400")
}
