package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// measured is one figure of a Go benchmark's line, such as "0.8 script-ms".
var measured = regexp.MustCompile(`(-?[\d.]+) (\S+)`)

// idle measures what the popup costs a page on which it does not show, in
// Chromium: the benchmark of functions/vote, which needs the test's browser.
func idle(ctx context.Context, _ *bench) ([]Row, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "WhereItDoesNotShow", "-benchtime", "30x", "./functions/vote")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%w\n%s", err, out)
	}
	var rows []Row
	for _, slower := range []string{"1", "4"} {
		line := regexp.MustCompile(`slower=` + slower + `\S*\s+(.*)`).FindSubmatch(out)
		if line == nil {
			return nil, fmt.Errorf("the benchmark printed\n%s", out)
		}
		figures := map[string]float64{}
		for _, m := range measured.FindAllSubmatch(line[1], -1) {
			if figures[string(m[2])], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
				return nil, err
			}
		}
		row := Row{
			What:     "popup, where it does not show: main thread's script time, median of 30",
			Measured: fmt.Sprintf("%.2f ms, %+.1f layouts, %.0f long tasks", figures["script-ms"], figures["layouts"], figures["long-tasks"]),
			Baseline: fmt.Sprintf("same page without %.2f ms", figures["without-ms"]),
			Budget:   "1 ms",
			Holds:    figures["script-ms"] < 1,
		}
		if slower != "1" {
			row.What += ", processor " + slower + " x slower"
			row.Budget, row.Holds = "reported", true
		}
		rows = append(rows, row)
	}
	return rows, nil
}
