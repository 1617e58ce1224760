package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// dashboardView is the line of one view in the benchmark's output.
var dashboardView = regexp.MustCompile(`view=(\S+)/slower=(\d)\S*\s+(.*)`)

// dashboard measures the views of the dashboard over five years of 20
// touchpoints, in Chromium: the benchmark of functions/results, which has the
// answers and needs the test's browser.
func dashboard(ctx context.Context, _ *bench) ([]Row, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "Dashboard", "-benchtime", "5x", "./functions/results")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	const ms, bytes, calls = 100, 60_000, 2
	var rows []Row
	for _, line := range dashboardView.FindAllSubmatch(out, -1) {
		f := map[string]float64{}
		for _, m := range measured.FindAllSubmatch(line[3], -1) {
			if f[string(m[2])], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
				return nil, err
			}
		}
		row := Row{
			What:     fmt.Sprintf("dashboard, %s: scripts from data to paint, median of 5; gzip; calls to the database", line[1]),
			Measured: fmt.Sprintf("%.0f ms (layout %.0f); %.1f kB; %.0f", f["script-ms"], f["layout-ms"], f["gzip-bytes"]/1e3, f["calls"]),
			Baseline: fmt.Sprintf("page before the data %.0f ms", f["before-ms"]),
			Budget:   fmt.Sprintf("%d ms; %d kB; %d", ms, bytes/1000, calls),
			Holds:    f["script-ms"] < ms && f["gzip-bytes"] <= bytes && f["calls"] <= calls,
		}
		if slower := string(line[2]); slower != "1" {
			row.What += ", processor " + slower + " x slower"
			row.Budget, row.Holds = "reported", true
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the benchmark printed\n%s", out)
	}
	return rows, nil
}
