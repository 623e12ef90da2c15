package main

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/keystore/soft"
	"github.com/spf13/pflag"
)

func runVersion(e *env, flags *pflag.FlagSet) error {
	v := struct {
		Version string `json:"version"`
		Build   string `json:"build"`
		Go      string `json:"go"`
		Target  string `json:"target"`
		Keys    string `json:"keys"`
	}{version, buildTime().UTC().Format(time.RFC3339), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH, soft.Flavour()}
	if asJSON, _ := flags.GetBool("json"); asJSON {
		return writeJSON(e.stdout, v)
	}
	fmt.Fprintf(e.stdout, "boatd %s, built %s with %s for %s, keys by %s\n", v.Version, v.Build, v.Go, v.Target, v.Keys)
	return nil
}

// described is a command as list-commands shows it.
type described struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Syntax  []string `json:"syntax"`
	Class   string   `json:"class"`
	PIN     bool     `json:"pin"`
}

// tableOfCommands is the command table of a daemon that was never started.
func tableOfCommands() (*atcmd.Table, error) {
	return commandTable(newHost(&config.Config{}, time.Time{}, slog.Default()))
}

func describe() ([]described, error) {
	table, err := tableOfCommands()
	if err != nil {
		return nil, err
	}
	var all []described
	for _, c := range table.Commands() {
		d := described{Name: "AT" + c.Name, Summary: c.Summary, Class: string(c.Class), PIN: c.PIN}
		for _, form := range []atcmd.Form{atcmd.Exec, atcmd.Read, atcmd.Set} {
			if c.Forms&form != 0 {
				d.Syntax = append(d.Syntax, c.Syntax(form))
			}
		}
		all = append(all, d)
	}
	return all, nil
}

func listCommands(e *env, flags *pflag.FlagSet) error {
	all, err := describe()
	if err != nil {
		return err
	}
	if asJSON, _ := flags.GetBool("json"); asJSON {
		return writeJSON(e.stdout, all)
	}
	for _, d := range all {
		pin := " "
		if d.PIN {
			pin = "P"
		}
		fmt.Fprintf(e.stdout, "%s %s  %-60s %s\n", d.Class, pin, strings.Join(d.Syntax, " | "), d.Summary)
	}
	return nil
}

func runCompletion(e *env, _ *pflag.FlagSet) error {
	if len(e.args) != 1 || e.args[0] != "bash" {
		return usageError("completion: want the name of a shell: bash")
	}
	all, err := describe()
	if err != nil {
		return err
	}
	return completion(e.stdout, all)
}

// completion writes a bash script made from the tables of subcommands, keys
// and AT commands.
func completion(w io.Writer, all []described) error {
	var commands, flags, at []string
	for _, c := range subcommands() {
		commands = append(commands, c.name)
	}
	for _, k := range config.Keys() {
		flags = append(flags, "--"+k.Name)
	}
	for _, d := range all {
		at = append(at, d.Name)
	}
	_, err := fmt.Fprintf(w, `# bash completion for boatd
_boatd() {
	local word=${COMP_WORDS[COMP_CWORD]}
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "%s help" -- "$word"))
		return
	fi
	case ${COMP_WORDS[1]} in
	at) COMPREPLY=($(compgen -W "--socket --pin --config %s" -- "$word")) ;;
	completion) COMPREPLY=($(compgen -W "bash" -- "$word")) ;;
	*) COMPREPLY=($(compgen -W "--help --config --socket --json --effective %s" -- "$word")) ;;
	esac
}
complete -o default -F _boatd boatd
`, strings.Join(commands, " "), strings.Join(at, " "), strings.Join(flags, " "))
	return err
}
