package modules

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brownout-dev/brownout/internal/fakellm"
)

type answer struct {
	ID, Outcome, Text, Note, Violated, Node, Model, TokensBy string
	OK                                                       bool
	Status, Attempts, Chunks                                 int
	TTFT, TPOT, E2E                                          *float64
	ITL                                                      *struct{ N, P50, Max float64 }
	Tokens                                                   struct{ Prompt, Output int }
}

func TestChat(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{TTFT: 5 * time.Millisecond, Gap: 2 * time.Millisecond}})
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var c = new Client({ baseURL: '%s', model: 'm', timeouts: { total: '10s' } });`, url), nil))
	v.start()
	var a answer
	require.NoError(t, v.eval(`result = c.chat({ messages: [{ role: 'user', content: 'hello there' }], max_tokens: 5 }, { id: 'mine', tags: { class: 'short' } })`, &a))
	assert.Equal(t, "ok", a.Outcome, a.Note)
	assert.True(t, a.OK)
	assert.Equal(t, 200, a.Status)
	assert.NotEmpty(t, a.Text)
	assert.Equal(t, "mine", a.ID)
	assert.Equal(t, "m", a.Model)
	assert.Equal(t, "fake/g0", a.Node)
	assert.Equal(t, 1, a.Attempts)
	assert.Equal(t, 5, a.Tokens.Output)
	assert.Equal(t, "usage", a.TokensBy)
	assert.GreaterOrEqual(t, *a.TTFT, 5.0)
	assert.GreaterOrEqual(t, *a.E2E, *a.TTFT)
	require.NotNil(t, a.ITL)
	assert.InDelta(t, 4, a.ITL.N, 0)
	got := v.samples("scenario", "class", "outcome")
	assert.Equal(t, []float64{1}, got["brownout_requests s short ok"])
	assert.Equal(t, []float64{1}, got["brownout_goodput s short"])
	assert.Len(t, got["brownout_ttft s short"], 1)
	assert.Len(t, got["brownout_max_gap s short"], 1)
	assert.Empty(t, got["iterations s short"], "k6 counts those itself")

	var whole answer
	require.NoError(t, v.eval(`result = c.chat({ messages: [{ role: 'user', content: 'x' }], stream: false, model: 'other' })`, &whole))
	assert.Equal(t, "ok", whole.Outcome, whole.Note)
	assert.Equal(t, "other", whole.Model)
	assert.Nil(t, whole.TTFT, "an answer in one piece has no first token")
	assert.Nil(t, whole.ITL)
	assert.NotEmpty(t, whole.Text)
}

func TestChatFailureIsAnOutcome(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{Fail: "status=503"}})
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var c = new Client({ baseURL: '%s', model: 'm' });`, url), nil))
	v.start()
	var a answer
	require.NoError(t, v.eval(`result = c.chat({ messages: [{ role: 'user', content: 'x' }] })`, &a))
	assert.Equal(t, "overloaded", a.Outcome)
	assert.False(t, a.OK)
	assert.Equal(t, 503, a.Status)
	assert.Nil(t, a.TTFT)
	got := v.samples("outcome")
	assert.Equal(t, []float64{1}, got["brownout_requests overloaded"])
	assert.Equal(t, []float64{0}, got["brownout_goodput"])
}

func TestLimitsMakeAnswersBad(t *testing.T) {
	url := serve(t, &fakellm.Server{Default: fakellm.Script{TTFT: 30 * time.Millisecond}})
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var c = new Client({ baseURL: '%s', model: 'm', limits: { ttft: '1ms' } });`, url), nil))
	v.start()
	var a answer
	require.NoError(t, v.eval(`result = c.chat({ messages: [{ role: 'user', content: 'x' }] })`, &a))
	assert.Equal(t, "ok", a.Outcome)
	assert.Equal(t, "ttft", a.Violated)
	assert.False(t, a.OK)
	assert.Equal(t, []float64{0}, v.samples()["brownout_goodput"])
}

func TestChatAsyncIsConcurrent(t *testing.T) {
	s := &fakellm.Server{Pick: func(n uint64) fakellm.Script {
		if n == 0 {
			return fakellm.Script{TTFT: 100 * time.Millisecond}
		}
		return fakellm.Script{}
	}}
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var c = new Client({ baseURL: '%s', model: 'm' }); var order = [];`, serve(t, s)), nil))
	v.start()
	var order []string
	require.NoError(t, v.eval(`
		var ask = (id) => c.chatAsync({ messages: [{ role: 'user', content: id }] }, { id }).then((a) => order.push(a.id + ' ' + a.outcome));
		ask('slow');
		var wait = Date.now() + 30; while (Date.now() < wait) {}
		ask('quick');
		result = order`, &order))
	assert.Equal(t, []string{"quick ok", "slow ok"}, order)
	assert.Len(t, v.samples()["brownout_requests"], 2)
}

func TestWrongCallsAreOneSentence(t *testing.T) {
	t.Setenv("K6JS_EMPTY", "")
	url := serve(t, &fakellm.Server{})
	for name, tc := range map[string]struct {
		code string
		want []string
	}{
		"all mistakes at once": {`new Client({ baseURL: 'nowhere', modelName: 'm', timeouts: { ttft: 'soon', total: -1 }, stream: 1 })`,
			[]string{"new Client: ", "baseURL is \"nowhere\"", "modelName is no option", "timeouts.ttft is \"soon\"", "timeouts must not be negative", "stream is 1"}},
		"key":             {`new Client({ baseURL: 'http://x', keyEnv: 'SURELY_NOT_SET' })`, []string{"SURELY_NOT_SET, which is not set"}},
		"ca":              {`new Client({ baseURL: 'https://x', caFile: '/does/not/exist' })`, []string{"ca_file cannot be read"}},
		"not an object":   {`new Client('x')`, []string{"x is no object"}},
		"init":            {`new Client({ baseURL: '` + url + `', model: 'm' }).chat({})`, []string{"chat cannot be called in the init context"}},
		"holder":          {`new Faults({ lease: '1ms', url: 'x', tokenEnv: 'K6JS_EMPTY' })`, []string{"lease is 1ms", "K6JS_EMPTY, which is not set", "url is wrong"}},
		"recovery":        {`configureRecovery({ objective: 2, minBad: 0, hold: -1, expected: ['fine'] })`, []string{"objective is 2", "minBad is 0", "hold and horizon", `"fine", which is no outcome`}},
		"extra body":      {`new Client({ baseURL: 'http://x', extraBody: { messages: [] } })`, []string{`sets "messages"`}},
		"key given twice": {`new Client({ baseURL: 'http://x', apiKey: 'k', keyEnv: 'PATH' })`, []string{"keep one"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := newVU(t).eval(tc.code, nil)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	v := newVU(t)
	require.NoError(t, v.eval(fmt.Sprintf(`var c = new Client({ baseURL: '%s' });`, url), nil))
	v.start()
	for code, want := range map[string]string{
		`c.chat()`:         "chat needs a request",
		`c.chat({ n: 2 })`: "model is missing: name it in the request or in new Client; messages must be a list with at least one message; n must be 1",
		`c.chat({ model: 'm', messages: [{}] }, { tgas: {} })`: "chat: params: tgas is no option",
	} {
		require.ErrorContains(t, v.eval(code, nil), want)
	}
	var rejected string
	require.NoError(t, v.eval(`result = {}; c.chatAsync({}).catch((e) => { result.text = String(e) });`, &struct {
		Text *string `json:"text"`
	}{&rejected}))
	assert.Contains(t, rejected, "model is missing")
}
