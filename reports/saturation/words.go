package saturation

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/brownout-dev/brownout/internal/yamlx"
)

// Summarize puts the search into sentences, the answer first.
func Summarize(f File) []string {
	var out []string
	shape := fmt.Sprintf("at %s/%s tokens inside %s", number(f.Load.PromptMean), number(f.Load.OutputMean), f.promise())
	share := fmt.Sprintf("60 %% of that is %s/s", number(0.6*f.Best))
	switch f.Status {
	case "found", "unfinished":
		out = append(out, fmt.Sprintf("Saturation: %s requests/s (between %s and %s) %s; %s.", number(f.Best), number(f.Low), number(f.High), shape, share))
	case "at-least":
		out = append(out, fmt.Sprintf("Saturation: at least %s requests/s %s; no rate that was tried failed.", number(f.Low), shape))
	case "at-most":
		out = append(out, fmt.Sprintf("Saturation: less than %s requests/s %s; no rate that was tried held.", number(f.High), shape))
	default:
		out = append(out, "Saturation: not known; no probe could be judged.")
	}
	if f.Status != "found" {
		out = append(out, "The search ended early: "+strings.TrimSuffix(f.Why, ".")+limited(f)+".")
	}
	if f.Model > 0 && f.Best > 0 && f.Status != "at-least" {
		out = append(out, fmt.Sprintf("The server's timing model says %s requests/s: the search is %.1f %% off.", number(f.Model), 100*math.Abs(f.Best/f.Model-1)))
	}
	return out
}

// limited says what the newest probe that could not be judged lacked.
func limited(f File) string {
	if len(f.Probes) == 0 {
		return ""
	}
	word := ""
	for _, p := range f.Probes {
		if p.Word != "" {
			word = p.Word
		}
	}
	switch word {
	case "client-limited":
		return ", because the load generator is the limit: give it more cores or another machine"
	case "simulator-limited":
		return ", because the simulated GPUs could not keep their own time: give the machine to them, or simulate fewer"
	}
	return ""
}

func (f File) promise() string {
	var limits []string
	for _, l := range []struct {
		name string
		got  time.Duration
	}{{"ttft", f.Limits.TTFT}, {"tpot", f.Limits.TPOT}, {"max_gap", f.Limits.Gap}, {"e2e", f.Limits.E2E}} {
		if l.got > 0 {
			limits = append(limits, l.name+" ≤ "+yamlx.FormatDuration(l.got))
		}
	}
	if len(limits) == 0 {
		return strings.Join(f.Gates, ", ")
	}
	return strings.Join(limits, ", ")
}

// number has four digits, as many as a search can stand for.
func number(v float64) string {
	if v >= 1000 {
		return strconv.FormatFloat(math.Round(v), 'f', 0, 64)
	}
	digits := 2
	switch {
	case v >= 100:
		digits = 0
	case v >= 10:
		digits = 1
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(text, ".") {
		text = strings.TrimRight(strings.TrimRight(text, "0"), ".")
	}
	return text
}

// Heading is the first line of the table of probes.
func Heading() string {
	return "    rate  delivered  goodput  p99 ttft  piled up  verdict"
}

// Row is one probe as a line under Heading.
func Row(p Probe) string {
	line := fmt.Sprintf("%6s/s  %7s/s  %6.1f%%  %8s  %8.0f  %s", number(p.Rate), number(p.Delivered), 100*p.Goodput, seconds(p.TTFTP99), p.Trend.PiledUp, p.Verdict)
	if p.Why != "" {
		line += ": " + p.Why
	}
	return line
}

func seconds(v float64) string {
	switch {
	case v < 0:
		return "∞"
	case v == 0:
		return "-"
	case v < 1:
		return fmt.Sprintf("%.0f ms", 1000*v)
	}
	return fmt.Sprintf("%.2f s", v)
}

// Markdown writes the search for a pull request or a wiki.
func Markdown(w io.Writer, f File) error {
	var b strings.Builder
	b.WriteString("## Saturation of " + plain(f.Target.Model) + "\n\n")
	for _, s := range f.Summary {
		b.WriteString(plain(s) + "\n")
	}
	b.WriteString("\n| rate | delivered | goodput | p99 ttft | piled up | verdict |\n|---:|---:|---:|---:|---:|---|\n")
	for _, p := range f.Probes {
		verdict := string(p.Verdict)
		if p.Why != "" {
			verdict += ": " + plain(p.Why)
		}
		fmt.Fprintf(&b, "| %s/s | %s/s | %.1f %% | %s | %.0f | %s |\n", number(p.Rate), number(p.Delivered), 100*p.Goodput, seconds(p.TTFTP99), p.Trend.PiledUp, verdict)
	}
	fmt.Fprintf(&b, "\nScenario %s, target %s, %s arrivals; interval at %.0f %%; %s.\n", plain(f.Scenario.Name), plain(f.Target.URL), f.Load.Process, 100*f.Confidence, plain(f.Tool))
	_, err := io.WriteString(w, b.String())
	return err
}

// plain keeps foreign text from becoming markup.
func plain(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\n", " ", "`", "'", "[", `\[`).Replace(s)
}
