package options

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReadableValues(t *testing.T) {
	o, err := Read([]byte(`{"d":"1m30s","ms":250,"r":"50/s","m":"300/m","n":7,"seed":9007199254740993,"text":"x","flag":true,
		"headers":{"a":"b","n":1},"free":{"deep":[1]},"inner":{"d":"2s"},"list":[{"at":"1s"},{"at":2}],"words":["a","b"],"none":null}`))
	require.NoError(t, err)
	assert.Equal(t, 90*time.Second, o.Duration("d", 0))
	assert.Equal(t, 250*time.Millisecond, o.Duration("ms", 0))
	assert.Equal(t, time.Minute, o.Duration("absent", time.Minute))
	assert.InDelta(t, 50, o.Rate("r"), 0)
	assert.InDelta(t, 5, o.Rate("m"), 0)
	assert.InDelta(t, 7, o.Rate("n"), 0)
	assert.True(t, o.IsNumber("n"))
	assert.Equal(t, int64(9007199254740993), o.Whole("seed", 0), "64 bits, not 53")
	assert.Equal(t, "x", o.Text("text"))
	assert.True(t, o.Flag("flag", false))
	assert.Equal(t, map[string]string{"a": "b", "n": "1"}, o.Texts("headers"))
	assert.Contains(t, o.Free("free"), "deep")
	assert.Equal(t, 2*time.Second, o.Object("inner").Duration("d", 0))
	list := o.List("list")
	require.Len(t, list, 2)
	assert.Equal(t, time.Second, list[0].Duration("at", 0))
	assert.Equal(t, 2*time.Millisecond, list[1].Duration("at", 0))
	assert.Equal(t, []string{"a", "b"}, o.TextList("words"))
	assert.False(t, o.Has("none"))
	assert.JSONEq(t, `{"d":"1m30s"}`, string(o.Raw("d", "absent")))
	assert.Empty(t, o.Mistakes())
}

func TestAllMistakesAtOnce(t *testing.T) {
	o, err := Read([]byte(`{"d":"soon","r":"50/week","t":1,"f":"yes","n":"7","w":1.5,"h":{"a":{}},"i":[],"l":{},"ll":[1],"ws":[1],"extra":1,"o":{"lost":2}}`))
	require.NoError(t, err)
	o.Duration("d", 0)
	o.Rate("r")
	o.Text("t")
	o.Flag("f", false)
	o.Number("n", 0)
	o.Whole("w", 0)
	o.Texts("h")
	o.Object("i").Text("x")
	o.List("l")
	o.List("ll")
	o.TextList("ws")
	o.Object("o").Text("found")
	wrong := errors.Join(o.Mistakes()...)
	for _, want := range []string{
		`d is "soon": write a duration`, `r is "50/week": write a rate`, "t is 1: write a text", `f is "yes": write true or false`,
		`n is "7": write a number`, "w is 1.5: write a whole number", "h.a is {}: write a text", "i is []: write an object",
		"l is {}: write a list", "ll[0] is 1: write an object", "ws is [1]: write a list of texts",
		"extra is no option", "o.lost is no option: there is found",
	} {
		require.ErrorContains(t, wrong, want)
	}
	assert.Len(t, o.Mistakes(), 13)
}

func TestOnlyAnObject(t *testing.T) {
	for _, in := range []string{``, `[]`, `1`, `{} {}`, `{`} {
		_, err := Read([]byte(in))
		require.Error(t, err, "%s", in)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"d":"1m","r":"5/s","o":{"d":1e300},"l":[{}]}`))
	f.Add([]byte(`{"d":"ééééééééééééééééééééééééééééééééééééééééé","r":"/"}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		o, err := Read(in)
		if err != nil {
			return
		}
		o.Duration("d", 0)
		o.Rate("r")
		o.Object("o").Duration("d", 0)
		for _, one := range o.List("l") {
			one.Number("n", 0)
		}
		for _, wrong := range o.Mistakes() {
			require.NotEmpty(t, wrong.Error())
		}
	})
}
