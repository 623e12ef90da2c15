package manpage

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/config"
)

// A Command is a subcommand of boatd.
type Command struct {
	Name, Args, Summary string
	Flags               []Flag // of its own
}

// A Flag is a flag of a subcommand.
type Flag struct {
	Name, Value, Summary string // Value: empty where it takes none
}

// An ExitStatus is what a code at the end of the process means.
type ExitStatus struct {
	Code    int
	Meaning string
}

// Boatd writes boatd(8).
func Boatd(w io.Writer, date time.Time, commands []Command, exits []ExitStatus) error {
	p := newPage("boatd", 8, "wallets and on-chain transactions behind AT commands", date)
	p.raw(boatdHead)
	for _, c := range commands {
		p.item("Ic", strings.Fields(c.Name+" "+c.Args)...)
		p.text(capital(c.Summary) + ".")
		if len(c.Flags) == 0 {
			continue
		}
		p.raw(listBegin)
		for _, f := range c.Flags {
			p.flag(f)
			p.text(capital(f.Summary) + ".")
		}
		p.raw(listEnd)
	}
	p.raw(boatdFoot)
	for _, e := range exits {
		p.item("Li", fmt.Sprint(e.Code))
		p.text(capital(e.Meaning) + ".")
	}
	p.raw(listEnd + ".Sh SEE ALSO\n.Xr boatd.toml 5 ,\n.Xr boat-at 7\n")
	return p.writeTo(w)
}

const (
	listBegin = ".Bl -tag -width Ds\n"
	listEnd   = ".El\n"

	boatdHead = `.Sh SYNOPSIS
.Nm boatd
.Ar command
.Op Ar flags
.Sh DESCRIPTION
.Nm
runs on the Linux of a cellular module and answers AT commands on serial lines,
pseudo terminals and Unix sockets.
A host creates wallets with them and sends transactions; what was answered with
.Li OK
survives a power cut.
.Pp
The commands are:
` + listBegin

	boatdFoot = listEnd + `Every command also takes
.Fl -config Ar file
and a flag for each key of the configuration that stands once, such as
.Fl -log.level .
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/boatd/boatd.toml
The configuration, see
.Xr boatd.toml 5 .
.El
.Sh EXIT STATUS
` + listBegin

	configHead = `.Sh DESCRIPTION
The file is TOML.
An environment variable covers it where one is named below, and a flag of
.Xr boatd 8
covers both.
Unknown keys, wrong types and impossible values are reported all at once, and
then nothing starts.
What AT commands change is kept in the state directory and never written into
this file.
`

	configFoot = `.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/boatd/boatd.toml
Where boatd looks for it.
.El
.Sh EXAMPLES
.Bd -literal -offset indent
state_dir = "/data/boatd"

[[channel]]
name = "uart"
type = "serial"
device = "/dev/ttyHS0"

[[network]]
name = "sepolia"
protocol = "ethereum"
endpoints = ["https://rpc.example.org"]
chain_id = 11155111
.Ed
.Sh SEE ALSO
.Xr boat-at 7 ,
.Xr boatd 8
`

	atFoot = listEnd + ".Sh SEE ALSO\n.Xr boatd.toml 5 ,\n.Xr boatd 8\n"
)

// flag begins the entry of a flag.
func (p *page) flag(f Flag) {
	if f.Value == "" {
		p.item("Fl", "-"+f.Name)
		return
	}
	p.b.WriteString(".It Fl -" + escape.Replace(f.Name) + " Ar " + escape.Replace(f.Value) + "\n")
}

// Config writes boatd.toml(5).
func Config(w io.Writer, date time.Time, sections []config.Section) error {
	p := newPage("boatd.toml", 5, "configuration of boatd", date)
	p.raw(configHead)
	for _, s := range sections {
		title := s.Header
		if title == "" {
			title = "Top of the file"
		}
		p.macro("Ss", title)
		p.text(s.Summary)
		p.raw(listBegin)
		for _, k := range s.Keys {
			p.item("Cm", k.Name)
			p.text("(" + k.Type + ", default `" + k.Default + "`" + env(k) + ") " + capital(k.Summary) + ".")
		}
		p.raw(listEnd)
	}
	p.raw(configFoot)
	return p.writeTo(w)
}

func env(k config.Key) string {
	if k.Env == "" {
		return ""
	}
	return ", `" + k.Env + "`"
}

// AT writes boat-at(7).
func AT(w io.Writer, date time.Time, commands []atcmd.Command) error {
	p := newPage("boat-at", 7, "the AT commands of boatd", date)
	p.raw(atHead)
	for _, own := range []bool{true, false} { // the basic commands stand last
		for i := range commands {
			if c := &commands[i]; strings.HasPrefix(c.Name, "+BOAT") == own {
				p.atCommand(c)
			}
		}
	}
	p.raw(atCodes)
	for code := range maxCode + 1 {
		if text := atcmd.CodeText(code); text != "" {
			p.item("Li", fmt.Sprint(code))
			p.text(capital(text) + ".")
		}
	}
	p.raw(atFoot)
	return p.writeTo(w)
}

// maxCode is the highest that boatd's own numbers leave room for.
const maxCode = 9999

const atHead = `.Sh DESCRIPTION
Lines follow ITU-T V.250 and 3GPP TS 27.007:
.Li AT ,
commands separated by semicolons, a carriage return at the end.
A line has at most 2048 bytes and one final result.
.Pp
A parameter without quotes is a decimal number up to 4294967295; amounts and
whatever can be larger are strings.
In a string a backslash and two hex digits stand for a byte.
Every string but a PIN, a PUK or a passphrase may be
.Li \(dq@n\(dq :
the contents of data slot n.
A source is
.Li \(dqt:text\(dq , \(dqx:hex\(dq
or
.Li \(dq@n\(dq .
.Pp
The class of a command bounds its time: A 1 s, B 5 s, C 30 s, N the setting
.Li nettimeout
of the channel.
Commands with PIN need an unlocked channel.
.Pp
A host that has lost an answer repeats its line.
Creating what is there with the same parameters and deleting what is gone
succeed; an order with the same reference gets the same id.
.Sh COMMANDS
` + listBegin

const atCodes = listEnd + `.Sh RESULT CODES
With
.Li AT+CMEE=1
a failure is a number, with
.Li AT+CMEE=2
its text, which never changes.
` + listBegin

func (p *page) atCommand(c *atcmd.Command) {
	p.item("Cm", "AT"+c.Name)
	p.text(capital(c.Summary) + ". (" + strings.Join(Properties(c), ", ") + ")")
	var forms []string
	for _, form := range []atcmd.Form{atcmd.Exec, atcmd.Read, atcmd.Set} {
		if c.Forms&form != 0 {
			forms = append(forms, c.Syntax(form))
		}
	}
	p.literal(forms...)
	if len(c.Params) == 0 {
		return
	}
	p.raw(listBegin)
	for i := range c.Params {
		p.item("Ar", strings.Fields(c.Params[i].Name)...)
		p.text(capital(ParamText(&c.Params[i])) + ".")
	}
	p.raw(listEnd)
}

// Properties are what a command's row says beside its parameters.
func Properties(c *atcmd.Command) []string {
	all := []string{"class " + string(c.Class)}
	if c.Within != nil {
		all[0] = "its own time"
	}
	for _, flag := range []struct {
		set  bool
		text string
	}{{c.PIN, "PIN"}, {c.Abort, "can be aborted"}, {c.Once, "not repeated by A/"}, {c.Last, "last in its line"}} {
		if flag.set {
			all = append(all, flag.text)
		}
	}
	return all
}

// ParamText says what a parameter may be; values are in backquotes.
func ParamText(p *atcmd.Param) string {
	text := paramKind(p)
	if p.Optional {
		text += "; optional"
	}
	if p.Repeat {
		text += ", any number of them"
	}
	return text
}

func paramKind(p *atcmd.Param) string {
	switch {
	case p.Kind == atcmd.Number && p.Min == p.Max:
		return fmt.Sprintf("the number %d", p.Min)
	case p.Kind == atcmd.Number:
		return fmt.Sprintf("number from %d to %d", p.Min, p.Max)
	case p.Kind == atcmd.Name:
		return "name"
	case p.Kind == atcmd.Secret:
		return "secret, never from a slot"
	case len(p.Values) > 0:
		return "one of `" + strings.Join(p.Values, "` `") + "`"
	}
	text := "string"
	if p.Kind == atcmd.Source {
		text = "source"
	}
	switch {
	case p.Min > 0 && p.Max > 0:
		text += fmt.Sprintf(" of %d to %d bytes", p.Min, p.Max)
	case p.Max > 0:
		text += fmt.Sprintf(" of at most %d bytes", p.Max)
	case p.Min > 0:
		text += ", not empty"
	}
	return text
}

// capital makes a sentence's beginning of a summary, unless it begins with what
// is written small.
func capital(s string) string {
	if s == "" || strings.HasPrefix(s, "`") || slices.Contains(small, strings.Fields(s)[0]) {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// small are first words that have no capital.
var small = []string{"boatd", "secp256k1"}
