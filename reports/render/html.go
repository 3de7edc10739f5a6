package render

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/brownout-dev/brownout/reports/result"
)

//go:embed page/*
var files embed.FS

// HTML writes a result as one self-contained page: styles, drawings and the little script it has are
// inside, and its content security policy forbids it to load anything. All of it can be read with scripts off.
func HTML(w io.Writer, r result.Result) error {
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		return err
	}
	script, err := files.ReadFile("page/script.js")
	if err != nil {
		return err
	}
	t, err := template.New("page.html.tmpl").Funcs(functions()).ParseFS(files, "page/*.tmpl")
	if err != nil {
		return err
	}
	p := newPage(r)
	p.Style, p.Script = template.CSS(style), template.JS(script) //nolint:gosec // both are this package's own files
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; script-src '%s'; base-uri 'none'; form-action 'none'", digest(style), digest(script))
	out := bufio.NewWriter(w)
	if err := t.Execute(out, p); err != nil {
		return fmt.Errorf("the HTML report of run %s cannot be written: %w", r.Run, err)
	}
	return out.Flush()
}

// digest is the form in which a content security policy names an inline block.
func digest(block []byte) string {
	sum := sha256.Sum256(block)
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// meter is a share drawn as a bar.
type meter struct {
	Width float64 // of 100
	Bad   bool
}

func functions() template.FuncMap {
	return template.FuncMap{
		"px":         px1,
		"seconds":    seconds,
		"share":      share,
		"count":      count,
		"rate":       rate,
		"number":     number,
		"percentile": percentile,
		"goodput":    goodput,
		"mark":       mark,
		"verdict":    verdict,
		"words":      words,
		"plus":       plus,
		"meter":      func(share float64, bad bool) meter { return meter{Width: 100 * share, Bad: bad} },
	}
}
