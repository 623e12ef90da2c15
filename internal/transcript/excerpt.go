package transcript

import (
	"regexp"
	"strings"
)

// An Excerpt is a marked part of a script: the manual's example of a command, or
// of something that takes several.
type Excerpt struct {
	Command string   // "+BOATSEND", or "example " and a title
	Lines   []string // as a reader sees them
}

// Excerpts returns the marked parts in their order.
func (t *Transcript) Excerpts() []Excerpt {
	var all []Excerpt
	open := false
	for _, s := range t.steps {
		switch {
		case s.mark != "":
			all = append(all, Excerpt{Command: s.mark})
			open = true
		case s.source == "":
			open = false
		case open && s.kind == act && s.words[0] == "slot" && len(s.words) == 3:
			e := &all[len(all)-1]
			e.Lines = append(e.Lines, t.filled(&s)...)
		case open:
			e := &all[len(all)-1]
			e.Lines = append(e.Lines, s.shown()...)
		}
	}
	return all
}

// shown is a step as the manual has it.
func (s *step) shown() []string {
	switch {
	case s.kind == act:
		return []string{"(" + strings.Join(s.words, " ") + ")"}
	case s.kind == comment:
		return []string{"(" + strings.TrimSpace(strings.TrimPrefix(s.source, "#")) + ")"}
	case s.kind == expect && s.raw:
		return []string{strings.Trim(s.text, crlf)}
	case s.kind == expect:
		return []string{s.pattern.shown()}
	case s.raw:
		return []string{strings.TrimRight(s.text, crlf)}
	}
	p, err := compile(s.text)
	if err != nil {
		return []string{s.text}
	}
	return []string{p.shown()}
}

// An Exchange is a line that a host typed and what it saw.
type Exchange struct {
	Line   int // of the file
	Sent   string
	Got    []string // information lines, as they stand in the script
	Result string   // the final result; "" where the script has none
}

// Exchanges returns every line that is typed with the answer that is expected.
// Unsolicited codes are in no answer, and what does not begin like a line is
// data of the one before.
func (t *Transcript) Exchanges() []Exchange {
	var all []Exchange
	open := map[string]int{} // channel: index of what has no result yet
	for _, s := range t.steps {
		i, ok := open[s.channel]
		switch {
		case s.kind == send && !isLine(s.text): // data
		case s.kind == send:
			open[s.channel] = len(all)
			all = append(all, Exchange{Line: s.line, Sent: strings.TrimRight(s.text, "\r")})
		case s.kind != expect || !ok || strings.HasPrefix(s.text, "+BOATURC:"):
		case isFinal(s.text):
			all[i].Result = strings.Trim(s.text, crlf)
			delete(open, s.channel)
		default:
			all[i].Got = append(all[i].Got, s.text)
		}
	}
	return all
}

// Unsolicited returns the unsolicited codes that are expected, as they stand in
// the script.
func (t *Transcript) Unsolicited() []string {
	var all []string
	for _, s := range t.steps {
		if s.kind == expect && strings.HasPrefix(s.text, "+BOATURC:") {
			all = append(all, s.text)
		}
	}
	return all
}

func isLine(text string) bool {
	text = strings.ToUpper(text)
	return strings.HasPrefix(text, "AT") || strings.HasPrefix(text, "A/")
}

func isFinal(text string) bool {
	text = strings.Trim(text, crlf)
	return text == "OK" || text == "ERROR" || strings.HasPrefix(text, "+CME ERROR: ")
}

// A Use is a command and the form in which a line has it.
type Use struct {
	Name string // in upper case, without AT: "+BOATPIN", "&C", "S3"
	Form string // "", "?", "=" or "=?"
}

var (
	extendedShape = regexp.MustCompile(`^(\+[A-Z0-9]+)(=\?|\?|=|)`)
	registerShape = regexp.MustCompile(`^(S[0-9]+)(\?|=[0-9]*)`)
	basicShape    = regexp.MustCompile(`^(&?[A-Z])[0-9]*`)
)

// Uses returns the commands of a line, as far as they can be told. It is no
// parser: it reads lines that are known to be good.
func Uses(line string) []Use {
	line, ok := strings.CutPrefix(strings.ToUpper(line), "AT")
	if !ok {
		return nil
	}
	var all []Use
	for line = strings.TrimLeft(line, "; "); line != ""; line = strings.TrimLeft(line, "; ") {
		var use Use
		size := 0
		if m := extendedShape.FindStringSubmatch(line); m != nil {
			use, size = Use{m[1], m[2]}, len(m[0])
			if use.Form == "=" {
				size = argumentsEnd(line)
			}
		} else if m := registerShape.FindStringSubmatch(line); m != nil {
			use, size = Use{m[1], m[2][:1]}, len(m[0])
		} else if m := basicShape.FindStringSubmatch(line); m != nil {
			use, size = Use{m[1], ""}, len(m[0])
		} else {
			return all
		}
		all = append(all, use)
		line = line[size:]
	}
	return all
}

// argumentsEnd returns where the next semicolon outside quotes stands, or the
// end.
func argumentsEnd(line string) int {
	quoted := false
	for i := range len(line) {
		switch {
		case line[i] == '"':
			quoted = !quoted
		case line[i] == ';' && !quoted:
			return i
		}
	}
	return len(line)
}
