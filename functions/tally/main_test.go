package tally_test

import (
	"log/slog"
	"os"
	"testing"
)

// TestMain silences the log, which the generator would fill.
func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(m.Run())
}
