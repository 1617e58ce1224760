// Package tether ties the life of a child process to the life of this one.
//
// A test process can end without running any clean-up: a panic in another
// goroutine, go test's timeout, SIGKILL. The operating system closes its pipes
// all the same, so a tethered child is watched by a shell that ends it when a
// pipe closes. It needs only a POSIX shell, and works on Linux and macOS.
package tether

import (
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// script becomes the child by exec, so that the child keeps the process id that
// os/exec waits for. Before that it leaves a watcher behind, which reads the
// pipe on descriptor 9 and holds nothing else of the child's open.
const script = `
trash=$1
shift
exec 9<&0 </dev/null
(
	read -r _ <&9
	kill "$$"
	tries=0
	while kill -0 "$$"; do
		tries=$((tries + 1))
		[ "$tries" -lt 50 ] || kill -9 "$$"
		[ "$tries" -lt 60 ] || break
		sleep 0.1
	done
	[ -z "$trash" ] || rm -rf "$trash"
) >/dev/null 2>&1 3>&- 4>&- &
exec "$@" 9<&-
`

// Tie changes cmd, which must not have been started, so that its process ends
// when the returned pipe is closed or when this process ends, however that
// happens: first by SIGTERM, five seconds later by SIGKILL. The folder trash,
// unless empty, is removed after that.
//
// The process gets an empty standard input and a process group of its own, so
// that an interrupt typed at the terminal does not reach it. Tie fails when cmd
// already has a standard input.
func Tie(cmd *exec.Cmd, trash string) (io.Closer, error) {
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("tether %s: %w", cmd.Path, err)
	}
	cmd.Args = append([]string{"sh", "-c", script, "sh", trash, cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	return pipe, nil
}
