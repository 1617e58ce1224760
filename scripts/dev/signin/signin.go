// Package signin is the sign-in of the local stack: the provider of
// scripts/signin, an OpenID provider on this machine with the addresses and the
// tokens of an Amazon Cognito user pool, and a verifier that guards the API as
// the gateway's JWT authorizer does.
//
// The provider ends with the process that started it, even when that is killed.
package signin

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/pulssi/pulssi/shared/testkit/checkout"
)

// Errors of [Start].
var (
	ErrNoNode    = errors.New("node is missing, which the sign-in runs on: install Node 20 or newer ('apt-get install nodejs npm' or 'brew install node')")
	ErrNoPackage = errors.New("the sign-in's package oidc-provider is missing: run `scripts/setup.sh node`")
)

const (
	// startLimit is how long a start may take, on a machine with much else to do.
	startLimit = 60 * time.Second
	// stopLimit is how long the provider may take to end by itself.
	stopLimit = 2 * time.Second
	// program is the client of programs.
	program = "program"
)

// Provider is a running provider.
type Provider struct {
	*Verifier
	// Issuer is its address, below which the endpoints of Cognito are.
	Issuer string
	// Client is the dashboard's, which has no secret.
	Client string
	// Program and Secret are what programs get a token with, of the scope
	// pulssi/agent.
	Program, Secret string

	stdin io.Closer
	ended chan error
	kill  func() error
}

// Start starts the provider for the dashboard of a stack, which is at
// http://localhost:8080, say. ctx bounds only the start. The error is
// [ErrNoNode] or [ErrNoPackage] where something is missing.
func Start(ctx context.Context, dashboard string) (*Provider, error) {
	root, err := checkout.Root()
	if err != nil {
		return nil, err
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, ErrNoNode
	}
	p := &Provider{Program: program, Secret: rand.Text(), ended: make(chan error, 1)}
	settings, err := json.Marshal(map[string]string{"dashboard": dashboard, "program": p.Program, "secret": p.Secret})
	if err != nil {
		return nil, err
	}
	// It outlives ctx.
	cmd := exec.Command(node, filepath.Join(root, "scripts", "signin", "provider.mjs"), string(settings))
	var said bytes.Buffer
	cmd.Stderr = &said
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the sign-in: %w", err)
	}
	p.kill = cmd.Process.Kill
	address := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		err := io.ErrUnexpectedEOF
		if lines.Scan() {
			err = json.Unmarshal(lines.Bytes(), p)
		}
		address <- err
		_, _ = io.Copy(io.Discard, out) // so that it never waits to be read
		p.ended <- cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	select {
	case <-ctx.Done():
		return nil, errors.Join(fmt.Errorf("starting the sign-in: %w", ctx.Err()), p.Stop())
	case err = <-address:
	}
	if err != nil {
		_ = p.Stop() // it has ended, with what it said
		if bytes.Contains(said.Bytes(), []byte("ERR_MODULE_NOT_FOUND")) {
			return nil, ErrNoPackage
		}
		return nil, fmt.Errorf("starting the sign-in: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	// What the issuer says of itself leads to its keys, which are read again
	// when a token has a new one, long after the start.
	discovered, err := oidc.NewProvider(context.WithoutCancel(ctx), p.Issuer)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading about the sign-in: %w", err), p.Stop())
	}
	var keys struct {
		URL string `json:"jwks_uri"`
	}
	if err := discovered.Claims(&keys); err != nil {
		return nil, errors.Join(fmt.Errorf("reading about the sign-in: %w", err), p.Stop())
	}
	p.Verifier = NewVerifier(p.Issuer, oidc.NewRemoteKeySet(context.WithoutCancel(ctx), keys.URL), []string{p.Client, p.Program}, time.Now)
	return p, nil
}

// Stop ends the provider, and all sessions and tokens with it.
func (p *Provider) Stop() error {
	_ = p.stdin.Close() // which tells it to end; it may have ended already
	limit := time.NewTimer(stopLimit)
	defer limit.Stop()
	select {
	case err := <-p.ended:
		return err
	case <-limit.C:
		return errors.Join(errors.New("the sign-in did not end by itself"), p.kill())
	}
}

// TokenURL is where programs get a token.
func (p *Provider) TokenURL() string { return p.Issuer + "/oauth2/token" }
