package render

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/reports/result"
	"github.com/brownout-dev/brownout/reports/slo"
)

// mixed is a run whose load had two classes; one of them broke its gate.
func mixed() result.Result {
	r := broken()
	r.Judgement.Gates[1].Class = "batch"
	r.Judgement.Gates[1].Scope = "run"
	chat, batch := r.Judgement.Run, r.Judgement.Run
	chat.Due, batch.Due, batch.Goodput = 3511, 1170, 0.125
	r.Judgement.Classes = []slo.ClassResult{{Class: "batch", Run: batch}, {Class: "chat", Run: chat}}
	return r
}

// Every form says whose gate it was, and what each class saw.
func TestClassesShow(t *testing.T) {
	r := mixed()
	terminal := text(t, r, TerminalOptions{})
	require.Regexp(t, `✗ batch · run +p99 ttft <= 500ms`, terminal)
	require.Regexp(t, `(?m)^  · batch +1,170 +12\.5`, terminal)

	var page, junit, comment bytes.Buffer
	require.NoError(t, HTML(&page, r))
	require.Contains(t, page.String(), "<td>batch · run</td>")
	require.Contains(t, page.String(), `<th scope="row">batch · run</th><td class="n">1,170</td>`)
	require.NoError(t, JUnit(&junit, r))
	require.Contains(t, junit.String(), `name="batch · run: p99 ttft &lt;= 500ms"`)
	require.NoError(t, Markdown(&comment, r))
	require.Contains(t, comment.String(), "| batch · run | p99 ttft")
	require.Regexp(t, `\| batch · run \| 1,170 \| 12\.5`, comment.String())

	require.NotContains(t, text(t, broken(), TerminalOptions{}), "· ba", "without classes nothing is added")
}
