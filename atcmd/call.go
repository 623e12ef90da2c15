package atcmd

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
)

// A Call is one execution of a command: its arguments, its session, and the
// way for its information lines. It is used by one goroutine, and not after
// Run has returned.
type Call struct {
	Form Form

	session *Session
	row     *Command
	args    []arg
	secrets [][]byte // copies of slots, wiped when the command has ended
	line    []byte   // the line being put together
	out     []byte   // framed lines that have not left
	err     error    // a line that broke a rule; none leaves after it
}

// outMax is how much output is gathered before the session takes it.
const outMax = 1024

// Session returns the session that the command runs in.
func (c *Call) Session() *Session { return c.session }

// NArgs returns the number of arguments, without omitted ones at the end.
func (c *Call) NArgs() int { return len(c.args) }

// Omitted says whether argument i was left out.
func (c *Call) Omitted(i int) bool { return i >= len(c.args) || c.args[i].omitted }

// Number returns argument i of kind Number; 0 if it was left out.
func (c *Call) Number(i int) uint32 {
	if c.Omitted(i) {
		return 0
	}
	return c.args[i].number
}

// Text returns argument i, a string with its slot resolved; empty if it was
// left out.
func (c *Call) Text(i int) string { return string(c.Bytes(i)) }

// Bytes returns argument i of any kind but Number: the decoded bytes of a
// Source, the text of others. They are wiped when Run has returned, so what
// is kept must be copied; and unlike [Call.Text] it leaves no copy of a secret.
func (c *Call) Bytes(i int) []byte {
	if c.Omitted(i) {
		return nil
	}
	return c.args[i].bytes
}

// SlotOf returns the slot that argument i was taken from, or -1.
func (c *Call) SlotOf(i int) int {
	if c.Omitted(i) {
		return -1
	}
	return c.args[i].slot
}

// AfterFinal has f called when the final result of the line has left, or when
// it is certain that it will not soon: the channel has died, or its output has
// been stuck for 5 s. It is what keeps an unsolicited code about an id behind
// the OK that returned the id, on every channel. f must not block.
func (c *Call) AfterFinal(f func()) { c.session.after.add(f) }

// Info writes an information line, "+BOATX: f1,f2,...": integers of any type
// bare, bools as 0 and 1, strings in quotes, nil as an empty field. At most 8 fields and 120 bytes
// with both line ends, strings of printable ASCII without quotes, and no
// result code anywhere: text from outside goes through [Clean] first. A line
// that breaks a rule is a bug: it is logged, it does not leave, and the
// command ends with code 7099.
func (c *Call) Info(fields ...any) {
	c.begin()
	if err := c.fields(fields); err != nil {
		c.broken(err)
		return
	}
	c.end(infoMax)
}

// Hex writes value as lines of the shape
// "+BOATX: <lead...>,<offset>,<total>,"<hex>"", 32 bytes of value a line, or as
// many times 32 as fit when the channel's linemax is larger. An empty value is
// one line with an empty string.
func (c *Call) Hex(value []byte, lead ...uint32) {
	limit := int(c.session.channel.settings()[setLineMax])
	step := hexStep(limit, len(c.row.Name), len(lead), len(value))
	for at := 0; at == 0 || at < len(value); at += step {
		c.begin()
		for _, n := range lead {
			c.line = append(strconv.AppendUint(c.line, uint64(n), 10), ',')
		}
		part := value[at:min(at+step, len(value))]
		c.line = fmt.Appendf(c.line, `%d,%d,"%x"`, at, len(value), part)
		c.end(limit)
	}
}

// hexStep returns how many bytes of value a line of at most limit bytes
// carries, behind a name and some leading numbers.
func hexStep(limit, name, lead, total int) int {
	const around = len("\r\n: ,,\"\"\r\n")
	used := around + name + lead*len("4294967295,") + 2*len(strconv.Itoa(total))
	return max(32, (limit-used)/2/32*32)
}

// Line writes an information line that has no name in front, as +CGMI and
// +CLAC have it. The rules of [Call.Info] hold but for the fields.
func (c *Call) Line(text string) {
	c.line = append(c.line[:0], text...)
	c.end(infoMax)
}

// begin starts an information line with the name of the command.
func (c *Call) begin() {
	c.line = append(append(c.line[:0], c.row.Name...), ": "...)
}

func (c *Call) fields(fields []any) (err error) {
	c.line, err = appendFields(c.line, fields)
	return err
}

func appendFields(line []byte, fields []any) ([]byte, error) {
	if len(fields) > fieldsMax {
		return line, fmt.Errorf("%d fields", len(fields))
	}
	for i, f := range fields {
		if i > 0 {
			line = append(line, ',')
		}
		var err error
		if line, err = appendField(line, f); err != nil {
			return line, err
		}
	}
	return line, nil
}

var errQuote = errors.New("string has a quote")

// appendField appends one field of an information line.
func appendField(line []byte, field any) ([]byte, error) {
	switch f := field.(type) {
	case nil:
		return line, nil
	case string:
		for i := range len(f) {
			if f[i] == '"' {
				return line, fmt.Errorf("%w: %q", errQuote, f)
			}
		}
		return append(append(append(line, '"'), f...), '"'), nil
	case bool:
		if f {
			return append(line, '1'), nil
		}
		return append(line, '0'), nil
	}
	switch v := reflect.ValueOf(field); {
	case v.CanInt():
		return strconv.AppendInt(line, v.Int(), 10), nil
	case v.CanUint():
		return strconv.AppendUint(line, v.Uint(), 10), nil
	}
	return line, fmt.Errorf("field of type %T", field)
}

// end checks the line and frames it.
func (c *Call) end(limit int) {
	if err := checkLine(c.line, limit); err != nil {
		c.broken(err)
		return
	}
	if c.err != nil {
		return
	}
	c.out = c.session.regs.appendInfo(c.out, c.line)
	if len(c.out) > outMax {
		c.out = c.session.emit(c.out)
	}
}

func (c *Call) broken(err error) {
	if c.err == nil {
		c.err = fmt.Errorf("information line of %s: %w", c.row.Name, err)
	}
}
