// Package manual writes docs/at-manual.md, the reference of the AT commands: what
// a command takes comes from the command table, its example from a transcript
// that the tests play, and what neither can tell (the rules for all commands,
// the fields of an answer) from the texts in this folder.
package manual

import (
	"bytes"
	_ "embed" // the texts
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/manpage"
	"github.com/boatd/boatd/internal/transcript"
)

var (
	//go:embed rules.md
	rules string
	//go:embed transactions.md
	transactions string
	//go:embed urcs.md
	urcs string
	//go:embed notes.md
	notesText string
	//go:embed examples.md
	examplesText string
)

// groups are the manual's chapters: a heading, an introduction and how the names
// of its commands begin.
var groups = []struct {
	heading, intro string
	names          []string
}{
	{"System", "", []string{"+BOATREADY", "+BOATINFO", "+BOATCFG", "+BOATSTAT", "+BOATDIAG", "+BOATERR", "+BOATTIME", "+BOATIDLE", "+BOATOFF", "+BOATRESET"}},
	{"Access", "", []string{"+BOATPIN", "+BOATPWD", "+BOATLOCK"}},
	{"Keys", "", []string{"+BOATKEY"}},
	{"Networks, peers, wallets", "", []string{"+BOATNET", "+BOATPEER", "+BOATWAL", "+BOATADDR", "+BOATBAL"}},
	{"", transactions, []string{"+BOATSEND", "+BOATCALL", "+BOATDEPLOY", "+BOATQUERY", "+BOATTX", "+BOATFEE"}},
	{"", urcs, []string{"+BOATEVT"}},
	{"Signing", "", []string{"+BOATSIGN", "+BOATVERIFY"}},
	{"Data slots", "", []string{"+BOATDATA"}},
	{"A modem's own commands", "What boatd answers of these when it is the whole parser, so that modem managers and old init strings are content.\n", []string{""}},
}

// What [Write] refuses.
var (
	errNotes   = errors.New("notes")
	errExample = errors.New("example")
)

// Write writes the manual of the commands in table, with the examples that are
// marked in the transcripts. It is an error when a command has no example, an
// AT+BOAT command no note, or a note or an example no command.
func Write(w io.Writer, table *atcmd.Table, played []*transcript.Transcript) error {
	m := &writer{notes: readNotes(notesText), examples: map[string][]string{}, rows: map[string]*atcmd.Command{}}
	for i, c := range table.Commands() {
		m.rows[c.Name] = &table.Commands()[i]
	}
	if err := m.readExamples(played); err != nil {
		return err
	}
	for name := range m.notes {
		if m.rows[name] == nil {
			return fmt.Errorf("%w: there is no command %s", errNotes, name)
		}
	}
	m.out.WriteString(rules)
	left := table.Commands()
	for _, g := range groups {
		if g.heading != "" {
			fmt.Fprintf(&m.out, "\n## %s\n", g.heading)
		}
		if g.intro != "" {
			fmt.Fprintf(&m.out, "\n%s", g.intro)
		}
		for _, begin := range g.names {
			var err error
			if left, err = m.commands(left, begin); err != nil {
				return err
			}
		}
	}
	if err := m.worked(); err != nil {
		return err
	}
	m.codes()
	_, err := w.Write(m.out.Bytes())
	return err
}

// A writer gathers the manual.
type writer struct {
	out      bytes.Buffer
	rows     map[string]*atcmd.Command
	notes    map[string]string
	examples map[string][]string
}

// readNotes reads paragraphs that begin with a line that names a command. Those
// that go on with fields in backquotes begin with the answer.
func readNotes(text string) map[string]string {
	notes := map[string]string{}
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		name, note, _ := strings.Cut(paragraph, "\n")
		notes[name] = note
	}
	return notes
}

func (m *writer) readExamples(played []*transcript.Transcript) error {
	for _, t := range played {
		for _, e := range t.Excerpts() {
			_, worked := strings.CutPrefix(e.Command, exampleMark)
			if m.rows[e.Command] == nil && !worked || m.examples[e.Command] != nil || len(e.Lines) == 0 {
				return fmt.Errorf("%w: %s: %q has no command, no lines or is there twice", errExample, t.Path, e.Command)
			}
			m.examples[e.Command] = e.Lines
		}
	}
	return nil
}

// exampleMark is how the marks of worked examples begin.
const exampleMark = "example "

// worked writes the examples that take several commands: their titles and texts
// from this folder, their lines from the transcripts.
func (m *writer) worked() error {
	m.out.WriteString("\n## Worked examples\n")
	texts := 0
	for part := range strings.SplitSeq(strings.TrimSpace(examplesText), "\n### ") {
		title, text, _ := strings.Cut(strings.TrimPrefix(part, "### "), "\n")
		lines := m.examples[exampleMark+title]
		if lines == nil {
			return fmt.Errorf("%w: %q has no lines in the transcripts", errExample, title)
		}
		texts++
		fmt.Fprintf(&m.out, "\n### %s\n\n%s\n\n", title, strings.TrimSpace(text))
		m.lines(lines)
	}
	for name := range m.examples {
		if strings.HasPrefix(name, exampleMark) {
			texts--
		}
	}
	if texts != 0 {
		return fmt.Errorf("%w: one in the transcripts has no text", errExample)
	}
	return nil
}

// lines writes an example.
func (m *writer) lines(example []string) {
	for _, line := range example {
		fmt.Fprintf(&m.out, "    %s\n", line)
	}
}

// commands writes those whose names begin so, and returns the others.
func (m *writer) commands(all []atcmd.Command, begin string) (left []atcmd.Command, err error) {
	for i := range all {
		if !strings.HasPrefix(all[i].Name, begin) {
			left = append(left, all[i])
		} else if err := m.command(&all[i]); err != nil {
			return nil, err
		}
	}
	return left, nil
}

func (m *writer) command(c *atcmd.Command) error {
	note, example := m.notes[c.Name], m.examples[c.Name]
	switch {
	case note == "" && strings.HasPrefix(c.Name, "+BOAT"):
		return fmt.Errorf("%w: %s has none", errNotes, c.Name)
	case example == nil:
		return fmt.Errorf("%w: %s has none in the transcripts", errExample, c.Name)
	}
	fmt.Fprintf(&m.out, "\n### AT%s\n\n%s. *%s*\n", c.Name, sentence(c.Summary), strings.Join(manpage.Properties(c), " · "))
	m.syntax(c)
	m.parameters(c)
	if fields, ok := strings.CutPrefix(note, "`"); ok {
		note = "Answer: `" + c.Name + ": " + fields
	}
	if note != "" {
		fmt.Fprintf(&m.out, "\n%s\n", note)
	}
	fmt.Fprintf(&m.out, "\nExample:\n\n")
	m.lines(example)
	return nil
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (m *writer) syntax(c *atcmd.Command) {
	m.out.WriteString("\n")
	for _, form := range []atcmd.Form{atcmd.Exec, atcmd.Read, atcmd.Set} {
		if c.Forms&form != 0 {
			fmt.Fprintf(&m.out, "    %s\n", c.Syntax(form))
		}
	}
}

func (m *writer) parameters(c *atcmd.Command) {
	if len(c.Params) == 0 {
		return
	}
	m.out.WriteString("\n| parameter | |\n|---|---|\n")
	for _, p := range c.Params {
		fmt.Fprintf(&m.out, "| `%s` | %s |\n", p.Name, manpage.ParamText(&p))
	}
}

// codes writes the table of codes. 9999 is the highest that 27.007's scheme of
// boatd's own leaves room for.
func (m *writer) codes() {
	m.out.WriteString("\n## Codes\n\nThe texts are those of `AT+CMEE=2` and never change. Codes below 7000 are those of 3GPP TS 27.007.\n" +
		"Some can only come from parts that are not in this build.\n\n| code | text |\n|---|---|\n")
	for code := range 10000 {
		if text := atcmd.CodeText(code); text != "" {
			fmt.Fprintf(&m.out, "| %d | %s |\n", code, text)
		}
	}
}
