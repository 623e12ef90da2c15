package transcript

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// A Mismatch is something that a host saw and was not to see, or did not see.
type Mismatch struct {
	Path     string
	Line     int // of the file
	Channel  string
	Sent     string // what was typed last on the channel
	Expected string // as it stands in the script
	Got      []string
	Why      error
}

// Error shows all of it, a line each, as a script would have it.
func (m *Mismatch) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d: %s: %v\n", m.Path, m.Line, m.Channel, m.Why)
	fmt.Fprintf(&b, "    typed     %q\n", m.Sent)
	fmt.Fprintf(&b, "    expected  %s\n", m.Expected)
	for i, line := range m.Got {
		label := "got     "
		if i > 0 {
			label = "and then"
		}
		fmt.Fprintf(&b, "    %s  %s\n", label, line)
	}
	if len(m.Got) == 0 {
		b.WriteString("    got       nothing\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Unwrap returns why.
func (m *Mismatch) Unwrap() error { return m.Why }

// mismatch gathers what the host saw, with what comes right behind it.
func (p *play) mismatch(c *conn, s *step, got string, why error) error {
	m := &Mismatch{Path: p.t.Path, Line: s.line, Channel: s.channel, Sent: p.sent[s.channel], Expected: s.source, Why: why}
	if got != "" || errors.Is(why, errOther) && !s.raw {
		m.Got = append(m.Got, at(s.channel)+"< "+got)
	}
	c.settle(silence)
	m.Got = append(m.Got, scripted(s.channel, c.pending)...)
	return m
}

// at is how a line of a script begins that speaks of a channel.
func at(channel string) string {
	if channel == defaultChannel {
		return ""
	}
	return "@" + channel + " "
}

// scripted writes bytes as the lines of a script that expect them.
func scripted(channel string, b []byte) []string {
	var lines []string
	for len(b) > 0 {
		line, size, complete, err := peekLine(b)
		if err != nil || !complete || !plain(line) {
			size = unframed(b)
			lines = append(lines, at(channel)+"<= "+strconv.Quote(string(b[:size])))
		} else {
			lines = append(lines, at(channel)+"< "+line)
		}
		b = b[size:]
	}
	return lines
}

// plain says whether a line can stand in a script as it is.
func plain(line string) bool {
	for i := range len(line) {
		if line[i] < ' ' || line[i] > '~' || line[i] == '{' {
			return false
		}
	}
	return line != ""
}

// unframed is how many bytes at the front of b belong to no line: up to the
// next one.
func unframed(b []byte) int {
	if i := strings.Index(string(b[1:]), crlf); i >= 0 {
		if _, _, complete, _ := peekLine(b[1+i:]); complete {
			return 1 + i
		}
	}
	return len(b)
}

func indent(lines []string) string { return "    " + strings.Join(lines, "\n    ") }
