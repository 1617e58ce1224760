package tether_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulssi/pulssi/shared/testkit/internal/tether"
)

// parent is set in the environment of the helper process of
// TestChildEndsWhenTheParentIsKilled.
const parent = "PULSSI_TETHER_PARENT"

func TestMain(m *testing.M) {
	if trash := os.Getenv(parent); trash != "" {
		cmd := exec.Command("sleep", "600")
		cmd.Stdout = os.Stdout
		if _, err := tether.Tie(cmd, trash); err != nil {
			panic(err)
		}
		if err := cmd.Start(); err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(cmd.Process.Pid) + "\n")
		if err := cmd.Wait(); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestCloseEndsTheChild(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	pipe, err := tether.Tie(cmd, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) {
		t.Fatalf("Wait = %v, want an exit by signal", err)
	}
	if got := exit.Sys().(syscall.WaitStatus).Signal(); got != syscall.SIGTERM {
		t.Errorf("ended by %v, want SIGTERM", got)
	}
}

func TestChildEndsWhenTheParentIsKilled(t *testing.T) {
	trash := filepath.Join(t.TempDir(), "trash")
	if err := os.Mkdir(trash, 0o700); err != nil {
		t.Fatal(err)
	}
	helper := exec.Command(os.Args[0])
	helper.Env = append(os.Environ(), parent+"="+trash)
	out, err := helper.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := helper.Start(); err != nil {
		t.Fatal(err)
	}
	stdout := bufio.NewReader(out)
	line, err := stdout.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	child, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(child, 0); err != nil {
		t.Fatalf("the child does not run: %v", err)
	}
	if err := helper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// The child holds the helper's standard output, which therefore ends only
	// when both are gone.
	end := make(chan error, 1)
	go func() {
		_, err := stdout.ReadString('\n')
		end <- err
	}()
	deadline := time.After(20 * time.Second)
	select {
	case <-end:
	case <-deadline:
		t.Fatal("the child outlives its killed parent")
	}
	for tick := time.Tick(20 * time.Millisecond); ; {
		if _, err := os.Stat(trash); errors.Is(err, os.ErrNotExist) {
			break
		}
		select {
		case <-tick:
		case <-deadline:
			t.Fatal("the trash folder was not removed")
		}
	}
	if err := helper.Wait(); err == nil {
		t.Error("the helper was not killed")
	}
}
