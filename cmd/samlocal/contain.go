package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// contain hands over to sam local.
func (o options) contain(ctx context.Context, e *engine, p *parts, stdout, stderr io.Writer) error {
	dir, err := os.MkdirTemp("", "samlocal-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	vars := filepath.Join(dir, "env.json")
	content, err := json.Marshal(map[string]any{"Parameters": p.env(e.reach)})
	if err != nil {
		return err
	}
	if err := os.WriteFile(vars, content, 0o600); err != nil {
		return err
	}
	args := []string{"local", "invoke", o.function, "--event", o.event}
	if o.event == "" {
		host, port, err := net.SplitHostPort(o.addr)
		if err != nil {
			return err
		}
		args = []string{"local", "start-api", "--host", host, "--port", port}
	}
	args = append(args, "--template", o.built, "--env-vars", vars, "--region", region, "--parameter-overrides", "Architecture="+architecture())
	if e.hasImage(ctx) {
		args = append(args, "--skip-pull-image")
	}
	command := exec.CommandContext(ctx, o.sam, args...)
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGINT) }
	command.WaitDelay = 20 * time.Second
	command.Env = append(os.Environ(), "SAM_CLI_TELEMETRY=0", "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_DEFAULT_REGION="+region)
	command.Stdout, command.Stderr = stdout, stderr
	err = command.Run()
	if ctx.Err() != nil {
		return nil // Ctrl-C is how start-api ends
	}
	return err
}

// region is any; nothing here leaves this machine.
const region = "eu-west-1"
