package baseline

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/brownout-dev/brownout/reports/compare"
	"github.com/brownout-dev/brownout/reports/result"
)

// SeriesName is the file of a series of runs inside its directory.
const SeriesName = "series.json"

// seriesFile is what is read of a series: where its runs lie.
type seriesFile struct {
	Version  string `json:"version"`
	Variants []struct {
		Name   string `json:"name"`
		Trials []struct {
			Dir string `json:"dir"` // relative to the file
		} `json:"trials"`
	} `json:"variants"`
}

const seriesVersion = "brownout.series/v1"

// Side reads whatever path names: a baseline file, a result.json or a run's directory, a series.json or its
// directory. Of a series with several variants one is picked by "path#variant".
func Side(path string) (compare.Side, error) {
	file, variant, _ := strings.Cut(path, "#")
	if info, err := os.Stat(path); err == nil && !info.IsDir() { // a file may have a # in its name
		file, variant = path, ""
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		series := filepath.Join(file, SeriesName)
		if _, err := os.Stat(series); err == nil {
			return fromSeries(path, series, variant)
		}
		file = filepath.Join(file, result.FileName)
	}
	if filepath.Base(file) == SeriesName {
		return fromSeries(path, file, variant)
	}
	text, err := readBounded(file)
	if err == nil && isBaseline(text) {
		f, err := Read(file)
		return compare.Side{Name: path, Trials: f.Trials}, err
	}
	t, err := trial(file)
	return compare.Side{Name: path, Trials: []compare.Trial{t}}, err
}

func trial(path string) (compare.Trial, error) {
	r, err := result.Read(path)
	if err != nil {
		return compare.Trial{}, err
	}
	t, ok := compare.TrialOf(r)
	if !ok {
		return t, fmt.Errorf("%s cannot be compared: %w", path, compare.ErrNoSamples)
	}
	return t, nil
}

func fromSeries(name, path, variant string) (compare.Side, error) {
	side := compare.Side{Name: name}
	text, err := readBounded(path)
	if err != nil {
		return side, fmt.Errorf("the series cannot be opened: %w", err)
	}
	var s seriesFile
	if err := json.Unmarshal(text, &s); err != nil {
		return side, fmt.Errorf("%s is not a series: %w", path, err)
	}
	if s.Version != seriesVersion {
		return side, fmt.Errorf("%s is not a usable series: its version is %.40q, and this program reads %q", path, s.Version, seriesVersion)
	}
	var names []string
	for _, v := range s.Variants {
		names = append(names, v.Name)
		if variant != "" && v.Name != variant {
			continue
		}
		for _, t := range v.Trials {
			one, err := trial(filepath.Join(filepath.Dir(path), filepath.FromSlash(t.Dir)))
			if err != nil {
				return side, err
			}
			side.Trials = append(side.Trials, one)
		}
	}
	switch {
	case variant == "" && len(names) > 1:
		return side, fmt.Errorf("%s has the variants %s; name one, for example %s#%s", name, strings.Join(names, ", "), name, names[0])
	case len(side.Trials) == 0 && variant != "":
		return side, fmt.Errorf("%s has no variant %q with runs; it has %s", path, variant, strings.Join(names, ", "))
	case len(side.Trials) == 0:
		return side, fmt.Errorf("%s holds no runs; see why in its own report", path)
	}
	return side, nil
}
