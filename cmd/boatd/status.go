package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/ops"
	"github.com/spf13/pflag"
)

func jsonFlag(flags *pflag.FlagSet) { flags.Bool("json", false, "as JSON") }

func statusFlags(flags *pflag.FlagSet) {
	socketFlag(flags)
	jsonFlag(flags)
}

func runStatus(e *env, flags *pflag.FlagSet) error {
	r, err := report(e, flags)
	if err != nil {
		return err
	}
	if asJSON, _ := flags.GetBool("json"); asJSON {
		return writeJSON(e.stdout, r)
	}
	return r.Print(e.stdout)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// report asks the daemon what it says of itself: on metrics.socket, or where
// there is none with AT commands, which tell less.
func report(e *env, flags *pflag.FlagSet) (*ops.Report, error) {
	if named, _ := flags.GetString("socket"); named == "" {
		cfg, err := loadConfig(e, flags)
		if err != nil {
			return nil, err
		}
		if cfg.Metrics.Socket != "" {
			r, err := ops.GetReport(cfg.Metrics.Socket)
			if err == nil {
				return r, nil
			}
			fmt.Fprintf(e.stderr, "warning: metrics.socket: %v\n", err)
		}
		return reportByAT(dialConfigured(cfg))
	}
	return reportByAT(dial(e, flags))
}

func dialConfigured(cfg *config.Config) (*client, error) {
	path, err := socketOf(cfg)
	if err != nil {
		return nil, err
	}
	return dialPath(path)
}

func reportByAT(c *client, err error) (*ops.Report, error) {
	if err != nil {
		return nil, err
	}
	defer c.close()
	return c.report()
}

// report reads the daemon's state with AT commands that need no PIN.
func (c *client) report() (*ops.Report, error) {
	r := &ops.Report{Schema: ops.Schema, Source: "at"}
	ready, err := c.numbers("AT+BOATREADY?", 3)
	if err != nil {
		return nil, err
	}
	r.Ready, r.Starts, r.Uptime = ops.ReadyMap(ready[0]), uint64(ready[1]), int64(ready[2])
	if !r.Ready["journal"] {
		return r, nil
	}
	for _, part := range []struct {
		command string
		least   int // fields of a line
		take    func(*ops.Report, []string)
	}{
		{"AT+BOATINFO", 2, takeInfo},
		{"AT+BOATSTAT", 7, takeNetwork},
		{"AT+BOATKEYLST?", 2, takeKey},
		{"AT+BOATTXLST?", 3, takeTransaction},
		{"AT+BOATPIN?", 2, func(r *ops.Report, f []string) { r.PIN = ops.PIN{State: f[1], Left: atoi(f[0])} }},
	} {
		lines, err := c.do(part.command)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", part.command, err)
		}
		for _, l := range lines {
			if f := fields(l); len(f) >= part.least {
				part.take(r, f)
			}
		}
	}
	return r, nil
}

func takeInfo(r *ops.Report, f []string) {
	switch f[0] {
	case "version":
		r.Version = f[1]
	case "build":
		r.Build = f[1]
	case "stores":
		r.Stores = strings.Fields(f[1])
	case "protection":
		r.Protection = f[1]
	case "seal":
		r.Seal = f[1]
	}
}

func takeNetwork(r *ops.Report, f []string) {
	n := ops.Network{Name: f[0], State: ops.UpState(atoi(f[1])), Height: uint64(atoi(f[2])), Answered: int64(atoi(f[3])),
		Sent: 1000 * uint64(atoi(f[4])), Received: 1000 * uint64(atoi(f[5])), Open: atoi(f[6])}
	if n.State == ops.UpState(0) || n.Height == 0 && n.Answered == 0 { // by AT, 0 is also "never"
		n.Answered = -1
	}
	r.Networks = append(r.Networks, n)
}

func takeKey(r *ops.Report, f []string) {
	if r.Keys == nil {
		r.Keys = map[string]int{}
	}
	r.Keys[ops.KeyState(atoi(f[1]))]++
}

// takeTransaction takes the oldest that has not ended.
func takeTransaction(r *ops.Report, f []string) {
	state, code := atoi(f[1]), atoi(f[2])
	if why := ops.Reason(state, code); r.Oldest == nil && !ops.Ended(state) {
		r.Oldest = &ops.Transaction{ID: uint32(atoi(f[0])), State: ops.State(state), Code: code, Reason: why, Age: -1}
	}
}

// numbers reads the integers of a command's one line.
func (c *client) numbers(command string, n int) ([]int, error) {
	lines, err := c.do(command)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	if len(lines) != 1 || len(fields(lines[0])) < n {
		return nil, fmt.Errorf("%s: unexpected answer %q", command, lines)
	}
	out := make([]int, n)
	for i, f := range fields(lines[0])[:n] {
		if out[i], err = strconv.Atoi(f); err != nil {
			return nil, fmt.Errorf("%s: unexpected answer %q", command, lines[0])
		}
	}
	return out, nil
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s) // what is shown is only shown
	return n
}

// runHealth fails with status 4 unless the daemon answers and has its journal
// and its keys: what an update or a service manager wants to know.
func runHealth(e *env, flags *pflag.FlagSet) error {
	sick := func(err error) error {
		if exit := (*exitError)(nil); errors.As(err, &exit) && exit.code == exitConfig {
			return err // nothing is known of the daemon
		}
		return &exitError{code: exitUnhealthy, err: err, hint: "the daemon's log says more"}
	}
	c, err := dial(e, flags)
	if err != nil {
		return sick(err)
	}
	defer c.close()
	ready, err := c.numbers("AT+BOATREADY?", 1)
	switch {
	case err != nil:
		return sick(err)
	case ready[0]&1 == 0:
		return sick(errors.New("the journal is not open"))
	case ready[0]&2 == 0:
		return sick(errors.New("the keys cannot be opened"))
	}
	fmt.Fprintln(e.stdout, "healthy")
	return nil
}
