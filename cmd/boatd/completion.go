package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/boatd/boatd/internal/config"
	"github.com/spf13/pflag"
)

func runCompletion(e *env, _ *pflag.FlagSet) error {
	shell := ""
	if len(e.args) == 1 {
		shell = e.args[0]
	}
	write := map[string]func(io.Writer, []described) error{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[shell]
	if write == nil {
		return usageError("completion: want the name of a shell: bash, zsh or fish")
	}
	all, err := describe()
	if err != nil {
		return err
	}
	return write(e.stdout, all)
}

// words are what may stand behind each command: its own flags, what it takes, and
// the flags of all.
func words(c subcommand, all []described) []string {
	var out []string
	for _, f := range c.ownFlags() {
		out = append(out, "--"+f.Name)
	}
	if !strings.ContainsAny(c.args, "['") {
		out = append(out, strings.FieldsFunc(c.args, func(r rune) bool { return r == '|' })...)
	}
	if c.name == "at" {
		for _, d := range all {
			out = append(out, d.Name)
		}
	}
	return append(out, "--config", "--help")
}

func keyFlags() string {
	var out []string
	for _, k := range config.Keys() {
		out = append(out, "--"+k.Name)
	}
	return strings.Join(out, " ")
}

// bashCompletion writes a script made from the tables of subcommands, keys and AT
// commands. The flags of keys are offered once a dash is typed.
func bashCompletion(w io.Writer, all []described) error {
	var commands []string
	var cases strings.Builder
	for _, c := range subcommands() {
		commands = append(commands, c.name)
		fmt.Fprintf(&cases, "\t%s) words='%s' ;;\n", c.name, strings.Join(words(c, all), " "))
	}
	_, err := fmt.Fprintf(w, `# bash completion for boatd
_boatd() {
	local word=${COMP_WORDS[COMP_CWORD]} words=
	if [ "$COMP_CWORD" -eq 1 ]; then
		COMPREPLY=($(compgen -W "%s help" -- "$word"))
		return
	fi
	case ${COMP_WORDS[1]} in
%s	esac
	case $word in
	-*) words="$words %s" ;;
	esac
	COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _boatd boatd
`, strings.Join(commands, " "), &cases, keyFlags())
	return err
}

// zshCompletion is bash's by way of zsh's own layer for it.
func zshCompletion(w io.Writer, all []described) error {
	if _, err := io.WriteString(w, "autoload -Uz compinit bashcompinit\n(( $+functions[compdef] )) || compinit -u\nbashcompinit\n"); err != nil {
		return err
	}
	return bashCompletion(w, all)
}

func fishCompletion(w io.Writer, all []described) error {
	var b strings.Builder
	b.WriteString("# fish completion for boatd\n")
	for _, c := range subcommands() {
		fmt.Fprintf(&b, "complete -c boatd -n __fish_use_subcommand -x -a %s -d %s\n", c.name, fishQuote(c.summary))
		fmt.Fprintf(&b, "complete -c boatd -n '__fish_seen_subcommand_from %s' -a %s\n", c.name, fishQuote(strings.Join(words(c, all), " ")))
	}
	fmt.Fprintf(&b, "complete -c boatd -n 'string match -q -- \"-*\" (commandline -ct)' -a '%s'\n", keyFlags())
	_, err := io.WriteString(w, b.String())
	return err
}

// fishQuote quotes a text for fish, in which only \ and ' mean anything.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
