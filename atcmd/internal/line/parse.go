package line

import (
	"errors"
	"io"
	"math"
)

// ErrSyntax: what follows in the line is no command.
var ErrSyntax = errors.New("line does not parse")

// ArgsMax bounds the parameters of a command; no row has as many.
const ArgsMax = 64

// A Kind is how a parameter was written.
type Kind uint8

// The kinds.
const (
	Omitted Kind = iota
	Number
	String
)

// An Arg is a parameter as it was written.
type Arg struct {
	Kind   Kind
	Over   bool   // a number above 4294967295
	Number uint32 // anything if Over
	Text   []byte // of a string, without quotes and escapes
	Pos    int    // where it begins in the line; the A of AT is 1
}

// A Form is how a command was written (V.250, 5.4.3 and 5.4.4).
type Form uint8

// The forms, as bits; zero while it is not known.
const (
	Exec Form = 1 << iota // AT+X
	Read                  // AT+X?
	Set                   // AT+X=...
	Test                  // AT+X=?
)

// A Command is one as it was written, valid until the next one is parsed.
type Command struct {
	Name []byte // in upper case
	Form Form
	Args []Arg
	Many bool // more than ArgsMax
	Pos  int  // as of an Arg
}

// A Parser reads the commands of one line, one at a time: what stands behind
// a command is not looked at before that command was executed.
type Parser struct {
	src   []byte // the line without its AT
	i     int
	cmd   Command
	arena []byte // strings that had escapes; never larger than src
}

// Reset begins a line.
func (p *Parser) Reset(line []byte) {
	p.src, p.i = line, 0
	if cap(p.arena) < len(line) {
		p.arena = make([]byte, 0, max(len(line), 256))
	}
	p.arena = p.arena[:0]
}

// Wipe clears what was unescaped.
func (p *Parser) Wipe() { clear(p.arena[:cap(p.arena)]) }

// peek returns the next byte that is not a space, or 0 at the end. No line
// holds a NUL: the splitter drops control characters.
func (p *Parser) peek() byte {
	for p.i < len(p.src) && p.src[p.i] == ' ' {
		p.i++
	}
	if p.i == len(p.src) {
		return 0
	}
	return p.src[p.i]
}

// Position is where the next byte stands in the line, from 1 for the A of AT.
func (p *Parser) Position() int { return p.i + len("AT") + 1 }

// Next returns the next command; io.EOF when there is none, ErrSyntax when
// what follows is none. With ErrSyntax the name, if it was read, is there.
func (p *Parser) Next() (*Command, error) {
	for p.peek() == ';' {
		p.i++
	}
	b := p.peek()
	p.cmd = Command{Name: p.cmd.Name[:0], Args: p.cmd.Args[:0], Pos: p.Position()}
	switch {
	case b == 0:
		return nil, io.EOF
	case Extended(b):
		return &p.cmd, p.extended()
	}
	return &p.cmd, p.basic()
}

// More says whether anything follows in the line, be it a semicolon.
func (p *Parser) More() bool { return p.peek() != 0 }

// Extended says whether a command name that begins with b has the extended
// syntax (V.250, 5.4: "+"; the others are what manufacturers use the same way).
func Extended(b byte) bool {
	switch b {
	case '+', '^', '$', '*', '#', '%':
		return true
	}
	return false
}

// isNameByte: V.250, 5.4.1.
func isNameByte(b byte) bool {
	switch b {
	case '!', '%', '-', '.', '/', ':', '_':
		return true
	}
	return isLetter(b) || isDigit(b)
}

// basic reads E1, &C1, Z, S3=13 or S3? (V.250, 5.3). What follows needs no
// separator.
func (p *Parser) basic() error {
	if p.peek() == '&' {
		p.name()
	}
	if !isLetter(p.peek()) {
		return ErrSyntax
	}
	p.name()
	if string(p.cmd.Name) == "S" {
		return p.register()
	}
	p.cmd.Form = Exec
	if isDigit(p.peek()) {
		p.number()
	}
	return nil
}

func (p *Parser) register() error {
	for isDigit(p.peek()) {
		p.name()
	}
	switch p.peek() {
	case '?':
		p.i++
		p.cmd.Form = Read
		return nil
	case '=':
		p.i++
		p.cmd.Form = Set
		if isDigit(p.peek()) {
			p.number()
			return nil
		}
	}
	return ErrSyntax
}

// name takes the next byte into the name.
func (p *Parser) name() {
	p.cmd.Name = append(p.cmd.Name, upper(p.src[p.i]))
	p.i++
}

func (p *Parser) extended() error {
	p.name()
	for isNameByte(p.peek()) {
		p.name()
	}
	p.cmd.Form = Exec
	switch p.peek() {
	case '?':
		p.i++
		p.cmd.Form = Read
	case '=':
		p.i++
		if p.peek() != '?' {
			p.cmd.Form = Set
			return p.parameters()
		}
		p.i++
		p.cmd.Form = Test
	}
	return p.end()
}

// end checks that an extended command ends here.
func (p *Parser) end() error {
	if b := p.peek(); b != 0 && b != ';' {
		return ErrSyntax
	}
	return nil
}

func (p *Parser) parameters() error {
	for {
		if err := p.parameter(); err != nil {
			return err
		}
		if p.peek() != ',' {
			return p.end()
		}
		p.i++
	}
}

func (p *Parser) parameter() error {
	switch b := p.peek(); {
	case b == '"':
		return p.quoted()
	case isDigit(b):
		p.number()
	case b == 0 || b == ',' || b == ';':
		p.add(Arg{Kind: Omitted, Pos: p.Position()})
	default:
		return ErrSyntax
	}
	return nil
}

func (p *Parser) add(a Arg) {
	if len(p.cmd.Args) == ArgsMax {
		p.cmd.Many = true
		return
	}
	p.cmd.Args = append(p.cmd.Args, a)
}

func (p *Parser) number() {
	a := Arg{Kind: Number, Pos: p.Position()}
	for b := p.peek(); isDigit(b); b = p.peek() {
		n := uint64(a.Number)*10 + uint64(b-'0')
		a.Over = a.Over || n > math.MaxUint32
		a.Number = uint32(n)
		p.i++
	}
	p.add(a)
}

// quoted reads a string with its quotes. One without escapes stays where it is.
func (p *Parser) quoted() error {
	a := Arg{Kind: String, Pos: p.Position()}
	p.i++
	begin, from := len(p.arena), p.i
	escaped := false
	for ; p.i < len(p.src); p.i++ {
		switch b := p.src[p.i]; b {
		case '"':
			a.Text = p.src[from:p.i]
			if escaped {
				p.arena = append(p.arena, a.Text...)
				a.Text = p.arena[begin:]
			}
			p.i++
			p.add(a)
			return nil
		case '\\':
			c, ok := p.escape()
			if !ok {
				return ErrSyntax
			}
			escaped = true
			p.arena = append(append(p.arena, p.src[from:p.i]...), c)
			p.i += len("hh")
			from = p.i + 1
		}
	}
	return ErrSyntax
}

// escape returns what the \hh at p.i stands for (V.250, 5.4.2.2).
func (p *Parser) escape() (byte, bool) {
	if p.i+2 >= len(p.src) {
		return 0, false
	}
	hi, lo := unhex(p.src[p.i+1]), unhex(p.src[p.i+2])
	return byte(hi<<4 | lo&15), hi >= 0 && lo >= 0
}

// unhex returns the value of a hex digit, or -1.
func unhex(b byte) int {
	switch {
	case isDigit(b):
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b-'a') + 10
	case b >= 'A' && b <= 'F':
		return int(b-'A') + 10
	}
	return -1
}

func isDigit(b byte) bool  { return b >= '0' && b <= '9' }
func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func upper(b byte) byte {
	if b >= 'a' && b <= 'z' {
		return b - 'a' + 'A'
	}
	return b
}
