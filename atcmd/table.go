package atcmd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// infoMax is the longest information line, with both of its line ends.
const infoMax = 120

// fieldsMax is how many fields an information line may have.
const fieldsMax = 8

// urcName is the name of every unsolicited code; no command may be named so
// or begin so.
const urcName = "+BOATURC"

// A Table is a set of commands, checked and indexed. It does not change.
type Table struct {
	rows   []Command
	byName map[string]*Command
}

// NewTable makes a table of rows, in their order. It refuses with [ErrTable]
// what would confuse a host for ten years: a name twice, a +BOAT name that
// begins with another, a result code in a name, a =? answer that is longer
// than an information line may be; and rows that are not whole.
func NewTable(rows ...[]Command) (*Table, error) {
	t := &Table{rows: slices.Concat(rows...)}
	t.byName = make(map[string]*Command, len(t.rows))
	for i := range t.rows {
		row := &t.rows[i]
		if err := row.check(); err != nil {
			return nil, tableError("%q: %w", row.Name, err)
		}
		if t.byName[row.Name] != nil {
			return nil, tableError("%q is there twice", row.Name)
		}
		t.byName[row.Name] = row
	}
	return t, t.checkPrefixes()
}

// Commands returns the rows in their order. They must not be changed.
func (t *Table) Commands() []Command { return t.rows }

// checkPrefixes: parsers of hosts match names byte by byte. In byte order a
// name stands directly before the names that begin with it.
func (t *Table) checkPrefixes() error {
	names := []string{urcName}
	for i := range t.rows {
		if strings.HasPrefix(t.rows[i].Name, "+BOAT") {
			names = append(names, t.rows[i].Name)
		}
	}
	slices.Sort(names)
	for i, name := range names[1:] {
		if strings.HasPrefix(name, names[i]) {
			return tableError("%q begins with %q", name, names[i])
		}
	}
	return nil
}

func (c *Command) check() error {
	switch {
	case !validName(c.Name):
		return fmt.Errorf("not a command name")
	case c.Run == nil || c.Summary == "" || c.Forms == 0:
		return fmt.Errorf("no function, summary or form")
	case c.Class != ClassN && ClassTimes[c.Class] == 0:
		return fmt.Errorf("no class %q", c.Class)
	case c.Abort && c.Class != ClassN:
		return fmt.Errorf("only class N can be aborted")
	}
	if err := checkParams(c.Params); err != nil {
		return err
	}
	return checkLine([]byte(c.TestLine()), infoMax)
}

func checkParams(params []Param) error {
	optional := false
	for i, p := range params {
		switch {
		case p.Name == "" || p.Name != Clean(p.Name, len(p.Name)):
			return fmt.Errorf("parameter name %q", p.Name)
		case optional && !p.Optional:
			return fmt.Errorf("parameter %q after an optional one", p.Name)
		case p.Repeat && i != len(params)-1:
			return fmt.Errorf("parameter %q repeats and is not the last", p.Name)
		case p.Max < p.Min && (p.Max != 0 || p.Kind == Number):
			return fmt.Errorf("parameter %q from %d to %d", p.Name, p.Min, p.Max)
		}
		optional = p.Optional
	}
	return nil
}

// validName says whether a host can write the name so that the parser reads
// all of it, and whether it is free of result codes.
func validName(name string) bool {
	if name == "S" || name == "+" { // a register has a number, and a name letters
		return false
	}
	var p line.Parser
	p.Reset([]byte(name))
	if strings.HasPrefix(name, "S") {
		p.Reset([]byte(name + "?"))
	}
	cmd, err := p.Next()
	return err == nil && string(cmd.Name) == name && !p.More() && resultCodeIn([]byte(name)) == nil
}

// lookup returns the row of a name in upper case, or nil.
func (t *Table) lookup(name []byte) *Command { return t.byName[string(name)] }

// extended says whether the command has the syntax of +X (V.250, 5.4).
func (c *Command) extended() bool { return line.Extended(c.Name[0]) }

// once says whether a line with the command, as far as it was parsed, is kept
// from A/.
func (c *Command) once(cmd *line.Command) bool {
	return c.Once && cmd.Form != line.Read && cmd.Form != line.Test
}

// param returns the parameter that argument i fills, or nil.
func (c *Command) param(i int) *Param {
	n := len(c.Params)
	switch {
	case i < n:
		return &c.Params[i]
	case n > 0 && c.Params[n-1].Repeat:
		return &c.Params[n-1]
	}
	return nil
}

// Syntax is how the form is written, as the manual shows it:
// AT+BOATBAL="<wallet>"[,"<asset>"].
func (c *Command) Syntax(form Form) string {
	s := "AT" + c.Name
	switch {
	case form == Read:
		return s + "?"
	case form == Test:
		return s + "=?"
	case form == Set:
		s += "="
	case c.extended():
		return s
	}
	for i, p := range c.Params {
		item := "<" + p.Name + ">"
		if p.Kind != Number {
			item = strconv.Quote(item)
		}
		if i > 0 {
			item = "," + item
		}
		if p.Repeat {
			item += "..."
		}
		if p.Optional {
			item = "[" + item + "]"
		}
		s += item
	}
	return s
}

// TestLine is the answer to =?, without line ends: ranges and lists of values
// in parentheses, other strings by their names, optional ones in brackets.
// Empty for a command without parameters.
func (c *Command) TestLine() string {
	if len(c.Params) == 0 {
		return ""
	}
	s := c.testLine(true)
	if len(s)+2*len("\r\n") > infoMax {
		s = c.testLine(false) // the manual has the lists
	}
	return s
}

func (c *Command) testLine(lists bool) string {
	s := c.Name + ": "
	for i, p := range c.Params {
		item := p.testItem(lists)
		if i > 0 {
			item = "," + item
		}
		if p.Optional {
			item = "[" + item + "]"
		}
		if p.Repeat {
			item += "..."
		}
		s += item
	}
	return s
}

func (p *Param) testItem(lists bool) string {
	switch {
	case p.Kind == Number && p.Min == p.Max:
		return fmt.Sprintf("(%d)", p.Min)
	case p.Kind == Number:
		return fmt.Sprintf("(%d-%d)", p.Min, p.Max)
	case lists && len(p.Values) > 0:
		return `("` + strings.Join(p.Values, `","`) + `")`
	}
	return `"` + p.Name + `"`
}
