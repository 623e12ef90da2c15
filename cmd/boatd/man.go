package main

import (
	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/manpage"
	"github.com/spf13/pflag"
)

var exitStatuses = []manpage.ExitStatus{
	{Code: exitDone, Meaning: "done"},
	{Code: exitFailed, Meaning: "failed"},
	{Code: exitUsage, Meaning: "wrong usage"},
	{Code: exitConfig, Meaning: "the configuration has problems; nothing was started"},
	{Code: exitUnhealthy, Meaning: "`boatd health`: the daemon does not answer, or has no journal or no keys"},
}

// runMan writes a manual page, dated as the binary was built.
func runMan(e *env, _ *pflag.FlagSet) error {
	name := ""
	if len(e.args) == 1 {
		name = e.args[0]
	}
	switch name {
	case "boatd":
		return manpage.Boatd(e.stdout, buildTime(), manualCommands(), exitStatuses)
	case "boatd.toml":
		return manpage.Config(e.stdout, buildTime(), config.Sections())
	case "boat-at":
		table, err := tableOfCommands()
		if err != nil {
			return err
		}
		return manpage.AT(e.stdout, buildTime(), table.Commands())
	}
	return usageError("man: want the name of a page: boatd, boatd.toml or boat-at")
}

func manualCommands() []manpage.Command {
	var all []manpage.Command
	for _, c := range subcommands() {
		m := manpage.Command{Name: c.name, Args: c.args, Summary: c.summary}
		for _, f := range c.ownFlags() {
			value, usage := pflag.UnquoteUsage(f)
			m.Flags = append(m.Flags, manpage.Flag{Name: f.Name, Value: value, Summary: usage})
		}
		all = append(all, m)
	}
	return all
}

// ownFlags are the flags that not every command has.
func (c subcommand) ownFlags() (own []*pflag.Flag) {
	if c.flags == nil {
		return nil
	}
	set := pflag.NewFlagSet(c.name, pflag.ContinueOnError)
	set.SortFlags = false
	c.flags(set)
	set.VisitAll(func(f *pflag.Flag) { own = append(own, f) })
	return own
}
