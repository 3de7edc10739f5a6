package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The dashboard and the rules that we ship, against a real Prometheus that scrapes a real run: every
// expression must parse and give a series with a number.
func TestE2EDashboardShowsARun(t *testing.T) {
	prometheus, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus here (Debian: apt-get install prometheus), so the dashboard's expressions are not evaluated")
	}
	server := Serve(t)
	dir := t.TempDir()
	at := freePorts(t, 1)[0]
	config, err := os.ReadFile("../refserver/deploy/prometheus/prometheus.yml")
	require.NoError(t, err)
	rules, err := os.ReadFile("../refserver/deploy/prometheus/rules.yml")
	require.NoError(t, err)
	mine := strings.ReplaceAll(string(config), "gateway:9000", strings.TrimPrefix(server.Admin, "http://"))
	require.NotEqual(t, string(config), mine)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "prometheus.yml"), []byte(mine), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yml"), rules, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "admin-token"), []byte(adminToken), 0o600))
	start(t, exec.Command(prometheus, "--config.file="+dir+"/prometheus.yml", "--storage.tsdb.path="+dir+"/data", "--web.listen-address="+at))

	a, _ := Run(t, []string{"BROWNOUT_ADMIN_TOKEN=" + adminToken}, "steady", "--target", server.API, "--target-admin", server.Admin)
	require.Contains(t, []int{0, 3}, a.Code, "a busy machine may say unknown: %s", a.Stderr)

	for _, expr := range append(expressions(t), "brownout:goodness:ratio_rate1m") {
		var last string
		assert.Eventually(t, func() bool {
			var ok bool
			ok, last = number("http://"+at, expr)
			return ok
		}, 10*time.Second, 200*time.Millisecond, "%s: %s", expr, last)
	}
	var alerts struct {
		Data struct {
			Groups []struct {
				Rules []struct{ Health, Name, LastError string }
			}
		}
	}
	require.NoError(t, getJSON("http://"+at+"/api/v1/rules", &alerts))
	for _, g := range alerts.Data.Groups {
		for _, r := range g.Rules {
			assert.Equal(t, "ok", r.Health, "%s: %s", r.Name, r.LastError)
		}
	}
}

// expressions are those of the dashboard.
func expressions(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile("../refserver/deploy/grafana/dashboards/brownout.json")
	require.NoError(t, err)
	var board struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(data, &board))
	var all []string
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, target.Expr)
		}
	}
	require.NotEmpty(t, all)
	return all
}

// number evaluates a range query over the last minute and reports whether it ever had a finite value.
func number(prometheus, expr string) (ok bool, why string) {
	end := time.Now().Unix()
	q := url.Values{"query": {expr}, "start": {fmt.Sprint(end - 60)}, "end": {fmt.Sprint(end)}, "step": {"5"}}
	var r struct {
		Status, Error string
		Data          struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err := getJSON(prometheus+"/api/v1/query_range?"+q.Encode(), &r); err != nil {
		return false, err.Error()
	}
	for _, series := range r.Data.Result {
		for _, v := range series.Values {
			if v[1] != "NaN" && v[1] != "+Inf" {
				return true, ""
			}
		}
	}
	return false, fmt.Sprintf("%s %s: no series with a number", r.Status, r.Error)
}

func getJSON(url string, into any) error {
	resp, err := http.Get(url) //nolint:gosec // a loopback address of this test
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(into)
}
