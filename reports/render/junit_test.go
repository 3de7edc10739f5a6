package render

import (
	"bytes"
	"encoding/xml"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	junit "github.com/joshdk/go-junit"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

func junitText(t *testing.T, r result.Result) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, JUnit(&b, r))
	return b.String()
}

// ingest reads a report as a consumer does that is not ours.
func ingest(t *testing.T, text string) junit.Suite {
	t.Helper()
	suites, err := junit.Ingest([]byte(text))
	require.NoError(t, err)
	require.Len(t, suites, 1)
	return suites[0]
}

func TestJUnit(t *testing.T) {
	for name, r := range fixtures() {
		golden(t, name+".junit.xml", junitText(t, r))
	}
}

func TestJUnitIsReadByAConsumer(t *testing.T) {
	s := ingest(t, junitText(t, broken()))
	assert.Equal(t, "gpu-oom-none", s.Name)
	assert.Equal(t, map[string]string{"seed": "42", "verdict": "fail"}, map[string]string{"seed": s.Properties["seed"], "verdict": s.Properties["verdict"]})
	assert.Contains(t, s.Properties["digest"], "sha256:")
	assert.Equal(t, junit.Totals{Tests: 7, Passed: 4, Failed: 2, Error: 1}, withoutTime(s.Totals))
	byName := map[string]junit.Test{}
	for _, c := range s.Tests {
		byName[c.Name] = c
	}
	assert.Equal(t, junit.StatusFailed, byName["fault: p99 ttft <= 500ms"].Status)
	assert.Contains(t, byName["fault: p99 ttft <= 500ms"].Message, "74.0 % of 1,548 requests")
	assert.Equal(t, junit.StatusError, byName["after: p99 ttft <= 500ms"].Status, "too few samples are no failure")
	assert.Equal(t, junit.StatusPassed, byName["client-limited"].Status)

	s = ingest(t, junitText(t, absorbed()))
	assert.Equal(t, junit.Totals{Tests: 7, Passed: 7}, withoutTime(s.Totals))
}

func withoutTime(totals junit.Totals) junit.Totals {
	totals.Duration = 0
	return totals
}

// Only a pass may look like one, whatever else the result lacks.
func TestJUnitAgreesWithTheVerdict(t *testing.T) {
	for _, v := range []slo.Verdict{slo.Fail, slo.Unknown, "another word"} {
		r := result.Result{Judgement: slo.Judgement{Verdict: v}, Summary: []string{"So it is."}}
		s := ingest(t, junitText(t, r))
		assert.Equal(t, v == slo.Fail, s.Totals.Failed == 1, v)
		assert.Equal(t, v != slo.Fail, s.Totals.Error == 1, v)
	}
	s := ingest(t, junitText(t, doubtful()))
	assert.Zero(t, s.Totals.Failed)
	assert.Equal(t, 2, s.Totals.Error, "client-limited and unproven")

	// A gate that fails in a run that cannot be trusted is no failure.
	r := doubtful()
	r.Judgement.Gates[0].Verdict = slo.Fail
	s = ingest(t, junitText(t, r))
	assert.Zero(t, s.Totals.Failed)
	assert.Equal(t, 3, s.Totals.Error)
}

func TestJUnitCasesHaveNamesOfTheirOwn(t *testing.T) {
	r := broken()
	r.Judgement.Gates = append(r.Judgement.Gates, r.Judgement.Gates...)
	seen := map[string]bool{}
	for _, c := range ingest(t, junitText(t, r)).Tests {
		assert.False(t, seen[c.Name], c.Name)
		seen[c.Name] = true
	}
}

func TestJUnitOfHostileNames(t *testing.T) {
	for _, text := range []string{"]]><x/>", `"/><failure message="`, "\x00\x1b[2J\ufffe\xff", "&amp;<!--", "   ", ""} {
		r := broken()
		poison(reflect.ValueOf(&r).Elem(), text)
		r.Judgement.Verdict = slo.Fail
		got := junitText(t, r)
		s := ingest(t, got)
		assert.Len(t, s.Tests, s.Totals.Tests)
		assert.NoError(t, obeys(got), "%q", text)
	}
}

// obeys reports whether text is XML at all; the schema is another test's, for which xmllint is needed.
func obeys(text string) error {
	var f junitFile
	return xml.Unmarshal([]byte(text), &f)
}

func TestJUnitObeysTheSchema(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not installed (Debian: libxml2-utils)")
	}
	valid := func(text string) (string, error) {
		c := exec.CommandContext(t.Context(), lint, "--noout", "--nonet", "--schema", "testdata/junit.xsd", "-")
		c.Stdin = strings.NewReader(text)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	for name, r := range fixtures() {
		out, err := valid(junitText(t, r))
		require.NoError(t, err, "%s: %s", name, out)
	}
	r := broken()
	poison(reflect.ValueOf(&r).Elem(), "  \x00  ]]>")
	r.Started = time.Now()
	out, err := valid(junitText(t, r))
	require.NoError(t, err, out)

	// Negative control: the schema does refuse.
	_, err = valid(strings.Replace(junitText(t, broken()), ` hostname="localhost"`, "", 1))
	assert.Error(t, err)
}
