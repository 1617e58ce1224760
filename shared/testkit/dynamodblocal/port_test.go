package dynamodblocal

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// TestATakenPortIsNoticed shows that the program, which prints that it cannot
// have its port and then hangs, is not waited for.
func TestATakenPortIsNoticed(t *testing.T) {
	other, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	java, err := javaPath()
	if err != nil {
		t.Fatal(err)
	}
	home, err := home()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	port := other.Addr().(*net.TCPAddr).Port
	if _, err := startAt(ctx, java, home, port, Options{}); !errors.Is(err, errPortTaken) {
		t.Errorf("start at the taken port %d = %v, want %v", port, err, errPortTaken)
	}
}
