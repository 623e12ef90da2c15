package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/pflag"
)

func jsonFlag(flags *pflag.FlagSet) { flags.Bool("json", false, "as JSON") }

func statusFlags(flags *pflag.FlagSet) {
	socketFlag(flags)
	jsonFlag(flags)
}

// A status is what the daemon says of itself.
type status struct {
	Ready    map[string]bool   `json:"ready"`
	Starts   int               `json:"starts"`
	Uptime   int               `json:"uptime_seconds"`
	Info     map[string]string `json:"info"`
	Networks []networkStatus   `json:"networks"`
	Waiting  bool              `json:"transactions_open"`
}

type networkStatus struct {
	Name     string `json:"name"`
	State    string `json:"state"`
	Height   int    `json:"height"`
	Age      int    `json:"seconds_since_answer"`
	Sent     int    `json:"kilobytes_sent"`
	Received int    `json:"kilobytes_received"`
	Open     int    `json:"open_transactions"`
}

// readyParts are the bits of AT+BOATREADY, lowest first.
var readyParts = []string{"journal", "keys", "clock", "bearer", "network"}

// ask reads the daemon's state with AT commands.
func (c *client) ask() (*status, error) {
	s := &status{Ready: map[string]bool{}, Info: map[string]string{}}
	ready, err := c.numbers("AT+BOATREADY?", 3)
	if err != nil {
		return nil, err
	}
	for i, part := range readyParts {
		s.Ready[part] = ready[0]&(1<<i) != 0
	}
	s.Starts, s.Uptime = ready[1], ready[2]
	if !s.Ready["journal"] {
		return s, nil
	}
	lines, err := c.do("AT+BOATINFO")
	if err != nil {
		return nil, fmt.Errorf("AT+BOATINFO: %w", err)
	}
	for _, l := range lines {
		if f := fields(l); len(f) == 2 {
			s.Info[f[0]] = f[1]
		}
	}
	if lines, err = c.do("AT+BOATSTAT"); err != nil {
		return nil, fmt.Errorf("AT+BOATSTAT: %w", err)
	}
	for _, l := range lines {
		if f := fields(l); len(f) >= 7 {
			s.Networks = append(s.Networks, networkStatus{f[0], upState(f[1]), atoi(f[2]), atoi(f[3]), atoi(f[4]), atoi(f[5]), atoi(f[6])})
		}
	}
	idle, err := c.numbers("AT+BOATIDLE?", 2)
	if err != nil {
		return nil, err
	}
	s.Waiting = idle[0]&2 != 0
	return s, nil
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

func upState(s string) string {
	switch s {
	case "1":
		return "up"
	case "2":
		return "down"
	default:
		return "not contacted"
	}
}

func runStatus(e *env, flags *pflag.FlagSet) error {
	c, err := dial(e, flags)
	if err != nil {
		return err
	}
	defer c.close()
	s, err := c.ask()
	if err != nil {
		return err
	}
	if asJSON, _ := flags.GetBool("json"); asJSON {
		return writeJSON(e.stdout, s)
	}
	s.print(e.stdout)
	return nil
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (s *status) print(w io.Writer) {
	fmt.Fprintf(w, "boatd %s, start %d, up %d s\n", s.Info["version"], s.Starts, s.Uptime)
	for _, part := range readyParts {
		fmt.Fprintf(w, "  %-8s %v\n", part, map[bool]string{true: "ready", false: "not ready"}[s.Ready[part]])
	}
	fmt.Fprintf(w, "keys     stores %s, wallets protected by %s, sealed by %s\n", s.Info["stores"], s.Info["protection"], s.Info["seal"])
	for _, n := range s.Networks {
		fmt.Fprintf(w, "network  %s: %s, block %d, %d open, %d kB sent, %d kB received\n", n.Name, n.State, n.Height, n.Open, n.Sent, n.Received)
	}
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
