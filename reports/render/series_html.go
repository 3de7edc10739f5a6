package render

import (
	"bufio"
	"fmt"
	"html/template"
	"io"
	"strings"

	"github.com/brownout-dev/brownout/reports/series"
	"github.com/brownout-dev/brownout/reports/slo"
)

// seriesPage is what the template of a series shows; every text in it is plain and is escaped there.
type seriesPage struct {
	series.Series
	Policy   string
	Style    template.CSS
	Lead     string
	More     []string
	Tiles    []tile
	Panel    *panel // times to recover; nil where none was felt
	Beside   *besideTable
	Variants []variantCard
	Facts    []fact
}

type variantCard struct {
	series.Variant
	Duty   string
	State  slo.Verdict // the verdict of a badge: did the variant do what it is for?
	Did    string      // and in a word
	Rows   []trialRow
	Faults []faultFacts
	Repeat bool
}

type faultFacts struct {
	Kind, Fault string
	Trials      int
	Facts       []fact
}

// SeriesHTML writes a series as one page that loads nothing, with a link to the report of every trial.
// It has no script.
func SeriesHTML(w io.Writer, s series.Series) error {
	style, err := files.ReadFile("page/style.css")
	if err != nil {
		return err
	}
	t, err := template.New("series.html.tmpl").Funcs(functions()).ParseFS(files, "page/*.tmpl")
	if err != nil {
		return err
	}
	p := newSeriesPage(s)
	p.Style = template.CSS(style) //nolint:gosec // this package's own file
	p.Policy = fmt.Sprintf("default-src 'none'; style-src '%s'; base-uri 'none'; form-action 'none'", digest(style))
	out := bufio.NewWriter(w)
	if err := t.Execute(out, p); err != nil {
		return fmt.Errorf("the HTML report of series %s cannot be written: %w", s.Run, err)
	}
	return out.Flush()
}

func newSeriesPage(s series.Series) seriesPage {
	p := seriesPage{Series: s, Tiles: seriesTiles(s), Panel: waits(s), Beside: newBeside(&s)}
	p.Verdict = verdict(s.Verdict)
	if len(s.Summary) > 0 {
		p.Lead, p.More = s.Summary[0], s.Summary[1:]
	}
	for _, v := range s.Variants {
		card := variantCard{Variant: v, Duty: roleWords(v.Role), State: duty(v), Repeat: repeated(v)}
		card.Did = string(card.State)
		if v.Role == series.Control && card.State != slo.Unknown {
			card.Did = map[slo.Verdict]string{slo.Pass: "failed, as it must", slo.Fail: "passed, and must not"}[card.State]
		}
		for _, t := range v.Trials {
			card.Rows = append(card.Rows, newTrialRow(t))
		}
		for _, f := range v.Faults {
			card.Faults = append(card.Faults, faultFacts{Kind: f.Kind, Fault: f.Fault, Trials: f.Trials, Facts: recoveryFacts(f)})
		}
		p.Variants = append(p.Variants, card)
	}
	p.Facts = []fact{
		{"series", s.Run}, {"started", s.Started.UTC().Format("2 Jan 2006, 15:04:05 UTC")}, {"took", seconds(s.Seconds)},
		{"trials", fmt.Sprintf("%d of each variant, seeds from %d", s.Planned, s.Scenario.Seed)},
		{"faults come later by", "a drawn share of " + seconds(s.Period.Seconds())},
		{"repeats", words(s.Repeats, "run was given up and run again", "runs were given up and run again")},
		{"scenario", s.Scenario.File}, {"digest", s.Scenario.Digest}, {"run it again", seriesAgain(s)}, {"made by", s.Tool},
	}
	return p
}

// duty is whether a variant did what it is for; empty where nothing is asked of it.
func duty(v series.Variant) slo.Verdict {
	if v.Role == series.Beside || len(v.Trials) == 0 {
		return ""
	}
	worst := slo.Pass
	for _, t := range v.Trials {
		switch rightWay(v.Role, t.Verdict) {
		case slo.Fail:
			return slo.Fail
		case slo.Unknown:
			worst = slo.Unknown
		case slo.Pass:
		}
	}
	for _, g := range v.Gates {
		switch verdict(g.Verdict) {
		case slo.Fail:
			return slo.Fail
		case slo.Unknown:
			worst = slo.Unknown
		case slo.Pass:
		}
	}
	return worst
}

// seriesTiles are the numbers that most readers came for, of the first variant.
func seriesTiles(s series.Series) []tile {
	if len(s.Variants) == 0 {
		return nil
	}
	v := s.Variants[0]
	n := len(v.Trials)
	out := []tile{{Name: "Trials passed", Value: fmt.Sprintf("%d of %d", v.Passed, n), Note: "variant " + v.Name}}
	goodput := tile{Name: "Goodput", Value: none, Note: "lowest of all trials"}
	if v.Goodput.N > 0 {
		goodput.Value = share(v.Goodput.Min)
		goodput.Note = fmt.Sprintf("lowest of %s; mean %s", words(v.Goodput.N, "trial", "trials"), share(v.Goodput.Mean))
	}
	out = append(out, goodput)
	if len(v.Faults) == 0 {
		return out
	}
	f := v.Faults[0]
	absorbed := tile{Name: "Absorbed", Value: none, Note: f.Kind}
	if b := f.AbsorbedShare; b != nil {
		absorbed.Value = fmt.Sprintf("%d of %d", f.Absorbed, f.Absorbed+f.Felt())
		absorbed.Note = fmt.Sprintf("%s to %s at 95 %% confidence", share(b.Lower), share(b.Upper))
	}
	recovery := tile{Name: "MTTR", Value: none, Note: "no trial was felt by users"}
	if f.Felt() > 0 {
		value, note, _ := strings.Cut(mttr(f), " (")
		recovery.Value, recovery.Note = value, strings.TrimSuffix(note, ")")+", median "+bound(f.Median)
	}
	return append(out, absorbed, recovery)
}
