package runtimeapi

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestProcess(t *testing.T) {
	bin := filepath.Join(t.TempDir(), "bootstrap")
	if out, err := exec.Command("go", "build", "-o", bin, "../hello").CombinedOutput(); err != nil {
		t.Fatalf("building the baseline: %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	p, err := Start(ctx, bin)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	}()
	if p.Startup <= 0 {
		t.Errorf("Startup is %v, want more than nothing", p.Startup)
	}
	for range 3 {
		answer, took, err := p.Invoke(ctx, []byte(`{"version":"2.0","rawPath":"/"}`))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(answer), `"statusCode":204`) || took <= 0 {
			t.Errorf("answer %s after %v, want status 204", answer, took)
		}
	}
	if _, _, err := p.Invoke(ctx, []byte(`[]`)); err == nil || !strings.Contains(err.Error(), "/error") {
		t.Errorf("an event of a wrong type: error %v, want the function's own", err)
	}
}

func TestStartSaysWhyItFailed(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if _, err := Start(ctx, "/nonexistent"); err == nil || !strings.Contains(err.Error(), "starting") {
		t.Errorf("a missing binary: error %v", err)
	}
	falsePath, err := exec.LookPath("false")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Start(ctx, falsePath); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a binary that exits: error %v", err)
	}
}
