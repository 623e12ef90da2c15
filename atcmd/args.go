package atcmd

import (
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// An arg is a parameter as its command sees it: checked, slots resolved.
type arg struct {
	omitted bool
	number  uint32
	bytes   []byte
	slot    int // the slot that bytes were taken from; -1 none
}

// bind checks the parameters of a command against its row and puts their
// values into c. Slots are read here, once: a command works on a snapshot.
func (c *Call) bind(row *Command, cmd *line.Command) *Error {
	form := Form(cmd.Form)
	if form != Set && (form != Exec || row.extended()) {
		return nil // these have none
	}
	args := cmd.Args
	if cmd.Many || len(args) > 0 && row.param(len(args)-1) == nil {
		return &Error{Code: codeParameters, Param: len(row.Params), Detail: "too many parameters"}
	}
	for len(args) > 0 && args[len(args)-1].Kind == line.Omitted {
		args = args[:len(args)-1]
	}
	for i := range args {
		v, err := c.value(row.param(i), &args[i])
		if err != nil {
			err.Param = i
			return err
		}
		c.args = append(c.args, v)
	}
	if missing := len(args); missing < len(row.Params) && !row.Params[missing].Optional {
		return &Error{Code: codeParameters, Param: missing, Detail: "parameter missing: " + row.Params[missing].Name}
	}
	return nil
}

func (c *Call) value(p *Param, a *line.Arg) (v arg, err *Error) {
	v = arg{number: a.Number, bytes: a.Text, slot: -1}
	switch {
	case a.Kind == line.Omitted:
		v.omitted = true
		if !p.Optional || p.Repeat && !p.Gaps {
			err = fail(codeParameters, "parameter missing: "+p.Name)
		}
		return v, err
	case (a.Kind == line.Number) != (p.Kind == Number):
		return v, fail(codeParameters, "wrong type: "+p.Name)
	case p.Kind == Number:
		return v, checkNumber(p, a)
	}
	if v.bytes, v.slot, err = c.resolve(p.Kind, a.Text); err != nil {
		return v, err
	}
	return v, checkText(p, v.bytes)
}

func checkNumber(p *Param, a *line.Arg) *Error {
	if a.Over || a.Number < p.Min || a.Number > p.Max {
		return fail(codeParameters, fmt.Sprintf("%s is not from %d to %d", p.Name, p.Min, p.Max))
	}
	return nil
}

// resolve turns a string as it was written into what it stands for.
func (c *Call) resolve(kind Kind, text []byte) ([]byte, int, *Error) {
	switch {
	case kind == Secret:
		return text, -1, nil
	case len(text) > 0 && text[0] == '@':
		if len(text) > 1 && text[1] == '@' && kind != Source {
			return text[1:], -1, nil
		}
		return c.slot(text[1:])
	case kind == Source:
		b, err := sourceBytes(text)
		return b, -1, err
	}
	return text, -1, nil
}

// slot returns a copy of a slot, which is wiped when the command has ended.
func (c *Call) slot(number []byte) ([]byte, int, *Error) {
	if len(number) != 1 || number[0] < '0' || number[0] >= '0'+slotCount {
		return nil, -1, fail(codeParameters, "not a slot from 0 to 7")
	}
	n := int(number[0] - '0')
	b := c.session.Slot(n)
	if b == nil {
		return nil, -1, fail(codeSlotEmpty, "")
	}
	c.secrets = append(c.secrets, b)
	return b, n, nil
}

// burn wipes the slots that arguments name, whatever came of the command.
func (c *Call) burn(args []line.Arg) {
	for _, a := range args {
		if len(a.Text) == 2 && a.Text[0] == '@' {
			if n := int(a.Text[1]) - '0'; n >= 0 && n < slotCount {
				c.session.WipeSlot(n)
			}
		}
	}
}

func sourceBytes(text []byte) ([]byte, *Error) {
	switch {
	case len(text) < 2 || text[1] != ':':
	case text[0] == 't':
		return text[2:], nil
	case text[0] == 'x':
		return unhexText(text[2:])
	}
	return nil, fail(codeParameters, "source begins with none of t: x: @")
}

func unhexText(text []byte) ([]byte, *Error) {
	b := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(b, text); err != nil {
		return nil, fail(codeParameters, "not pairs of hex digits")
	}
	return b, nil
}

func checkText(p *Param, b []byte) *Error {
	switch {
	case p.Kind == Name:
		return checkName(b)
	case uint64(len(b)) < uint64(p.Min):
		return fail(codeParameters, p.Name+" is too short")
	case p.Max != 0 && uint64(len(b)) > uint64(p.Max):
		return fail(codeTooLong, p.Name+" is too long")
	case len(p.Values) > 0 && !slices.Contains(p.Values, string(b)):
		return fail(codeParameters, p.Name+" is none of its values")
	}
	return nil
}
