// Command boatd adds AT+BOAT commands to the AT parser of a cellular module: a
// host creates wallets and sends on-chain transactions with a few short lines.
//
// Here parts are built from the configuration and put together; what they do is
// in their own rooms.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/config"
	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitConfig    = 3
	exitUnhealthy = 4
)

// A subcommand is a row of the command line.
type subcommand struct {
	name, args, summary string
	flags               func(*pflag.FlagSet)
	run                 func(*env, *pflag.FlagSet) error
}

// env is the process as the subcommands see it.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	args           []string // what flags left over
}

func subcommands() []subcommand {
	return []subcommand{
		{"run", "", "run the daemon", nil, runDaemon},
		{"check-config", "", "judge the configuration, and show it with --effective", checkConfigFlags, checkConfig},
		{"at", "['AT+...']...", "send AT commands to the running daemon", atFlags, runAT},
		{"status", "", "what the running daemon says of itself", statusFlags, runStatus},
		{"health", "", "exit status 0 when the running daemon is healthy, else 4", socketFlag, runHealth},
		{"version", "", "version, build and key code", jsonFlag, runVersion},
		{"list-commands", "", "all AT commands", jsonFlag, listCommands},
		{"support", "", "gather what somebody who is to help wants to know, without secrets", supportFlags, runSupport},
		{"completion", "bash|zsh|fish", "completion script for a shell", nil, runCompletion},
		{"man", "boatd|boatd.toml|boat-at", "manual page, to be read with man -l", nil, runMan},
	}
}

// protocols are those of this build.
func protocols() *chains.Registry { return chains.NewRegistry(ethereum.Protocol) }

// An exitError ends the process with a code; its hint is printed below it.
type exitError struct {
	code int
	hint string
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, hint: "boatd help shows the commands", err: fmt.Errorf(format, args...)}
}

func main() {
	os.Exit(run(os.Args[1:], &env{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}))
}

// run runs one command line and returns its exit code.
func run(args []string, e *env) int {
	err := dispatch(args, e)
	if err == nil {
		return exitDone
	}
	exit := &exitError{code: exitFailed}
	errors.As(err, &exit)
	if text := err.Error(); text != "" {
		fmt.Fprintf(e.stderr, "error: %s\n", text)
	}
	if exit.hint != "" {
		fmt.Fprintf(e.stderr, "hint: %s\n", exit.hint)
	}
	return exit.code
}

func dispatch(args []string, e *env) error {
	if len(args) == 0 {
		usage(e.stderr)
		return &exitError{code: exitUsage, err: errors.New("no command given")}
	}
	if args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		usage(e.stdout)
		return nil
	}
	for _, c := range subcommands() {
		if c.name == args[0] {
			return c.dispatch(args[1:], e)
		}
	}
	return usageError("%q is not a command", args[0])
}

// dispatch reads the command's flags and runs it.
func (c subcommand) dispatch(args []string, e *env) error {
	flags := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	configFlags(flags)
	if c.flags != nil {
		c.flags(flags)
	}
	switch err := flags.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(e.stdout, "%s: %s\n\nusage: boatd %s [flags] %s\n\n%s", c.name, c.summary, c.name, c.args, flags.FlagUsages())
		return nil
	case err != nil:
		return usageError("%s: %w", c.name, err)
	}
	e.args = flags.Args()
	if len(e.args) > 0 && c.args == "" {
		return usageError("%s takes no arguments, got %q", c.name, e.args[0])
	}
	return c.run(e, flags)
}

func usage(w io.Writer) {
	fmt.Fprintf(w, "usage: boatd <command> [flags]\n\n")
	for _, c := range subcommands() {
		fmt.Fprintf(w, "  %-30s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	fmt.Fprintf(w, "\nboatd <command> --help shows the flags of a command.\n")
}

// configFlags are those of every command: the file, and any single key of it.
func configFlags(flags *pflag.FlagSet) {
	flags.String("config", "/etc/boatd/boatd.toml", "configuration file")
	for _, k := range config.Keys() {
		flags.String(k.Name, "", strings.ReplaceAll(k.Summary, "`", "")) // pflag takes a quoted word for the value's name
		flags.Lookup(k.Name).DefValue = strings.Trim(k.Default, `"`)
	}
}

// readConfig reads the configuration as file, environment and flags say.
func readConfig(e *env, flags *pflag.FlagSet) (*config.Config, config.Problems, error) {
	path, err := flags.GetString("config")
	if err != nil {
		return nil, nil, err
	}
	set := map[string]string{}
	for _, k := range config.Keys() {
		if f := flags.Lookup(k.Name); f.Changed {
			set[k.Name] = f.Value.String()
		}
	}
	c, problems := config.Load(path, e.environ, set, protocols())
	return c, problems, nil
}

// loadConfig is readConfig where there is no going on with problems. Warnings go
// to stderr.
func loadConfig(e *env, flags *pflag.FlagSet) (*config.Config, error) {
	c, problems, err := readConfig(e, flags)
	if err != nil {
		return nil, err
	}
	fmt.Fprint(e.stderr, problems.String())
	if problems.Failed() {
		return nil, &exitError{code: exitConfig, hint: "nothing was started; boatd check-config judges the configuration again", err: errors.New("the configuration has problems")}
	}
	return c, nil
}

func checkConfigFlags(flags *pflag.FlagSet) {
	flags.Bool("effective", false, "show every value and where it comes from")
}

func checkConfig(e *env, flags *pflag.FlagSet) error {
	c, err := loadConfig(e, flags)
	if err != nil {
		return err
	}
	if all, _ := flags.GetBool("effective"); all {
		return c.Effective(e.stdout)
	}
	fmt.Fprintln(e.stdout, "the configuration is good")
	return nil
}
