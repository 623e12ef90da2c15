package main

import (
	"fmt"
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
