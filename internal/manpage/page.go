// Package manpage writes boatd's manual pages in mdoc(7), from the tables that
// the binary already holds: what a page says of a command, a key or an AT command
// is what boatd does.
package manpage

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"
)

// A page gathers the source of one manual page.
type page struct{ b strings.Builder }

func newPage(name string, section int, summary string, date time.Time) *page {
	p := &page{}
	p.macro("Dd", date.UTC().Format("January"), date.UTC().Format("2,"), date.UTC().Format("2006"))
	p.macro("Dt", strings.ToUpper(name), fmt.Sprint(section))
	p.macro("Os")
	p.macro("Sh", "NAME")
	p.macro("Nm", name)
	p.macro("Nd", summary)
	return p
}

// escape makes a text that means nothing to roff but itself.
var escape = strings.NewReplacer(`\`, `\e`, `"`, `\(dq`, "\n", " ")

// macro writes a line of a macro with its arguments, which are quoted where they
// have to be. What looks like a macro's name within them is none.
func (p *page) macro(name string, args ...string) {
	p.b.WriteString("." + name)
	for _, a := range args {
		a = escape.Replace(a)
		if called.MatchString(a) {
			a = `\&` + a
		}
		if a == "" || strings.ContainsAny(a, " \t") {
			a = `"` + a + `"`
		}
		p.b.WriteString(" " + a)
	}
	p.b.WriteByte('\n')
}

// called is an argument that mdoc might take for a macro or for punctuation. The
// comma of a date is neither.
var called = regexp.MustCompile(`^([A-Z][a-z]|%[A-Z]|[][().:;?!|])$`)

var (
	code     = regexp.MustCompile("`([^`]*)`")
	sentence = regexp.MustCompile(`([.!?]) +([A-Z])`)
)

// text writes sentences, each on a line of its own, as mdoc wants them; what is
// in backquotes is bold.
func (p *page) text(s string) {
	s = escape.Replace(s)
	s = code.ReplaceAllString(s, `\fB$1\fP`)
	s = sentence.ReplaceAllString(s, "$1\n$2")
	for line := range strings.SplitSeq(s, "\n") {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			p.b.WriteString(`\&`)
		}
		p.b.WriteString(line + "\n")
	}
}

// literal writes lines as they are.
func (p *page) literal(lines ...string) {
	p.macro("Bd", "-literal", "-offset", "indent")
	for _, line := range lines {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + strings.ReplaceAll(line, `\`, `\e`)
		} else {
			line = strings.ReplaceAll(line, `\`, `\e`)
		}
		p.b.WriteString(line + "\n")
	}
	p.macro("Ed")
}

// item begins an entry of a tagged list: a macro that says what the tag is, and
// the tag.
func (p *page) item(macro string, tag ...string) {
	p.b.WriteString(".It")
	q := &page{}
	q.macro(macro, tag...)
	p.b.WriteString(" " + strings.TrimPrefix(q.b.String(), "."))
}

// raw writes source.
func (p *page) raw(roff string) { p.b.WriteString(roff) }

func (p *page) writeTo(w io.Writer) error {
	_, err := io.WriteString(w, p.b.String())
	return err
}
