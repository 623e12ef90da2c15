package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// defaultChannel is the one that lines without a channel speak of.
const defaultChannel = "uart"

type kind uint8

const (
	comment kind = iota // nothing is done
	send
	expect
	act
)

// A step is one line of a script.
type step struct {
	kind    kind
	line    int    // in the file, from 1
	source  string // as it stands there
	channel string
	raw     bool
	text    string   // what is sent or expected; of raw ones, unquoted
	pattern *pattern // of an expected line
	words   []string // of an act
	mark    string   // of a comment: the command whose example begins
}

var stepShape = regexp.MustCompile(`^(?:@([A-Za-z0-9._-]+) )?([<>])(=?)(?: (.*))?$`)

func parseScript(text string, first int) ([]step, error) {
	var steps []step
	number := first - 1
	for line := range strings.Lines(text) {
		number++
		s, err := parseStep(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		s.line = number
		steps = append(steps, s)
	}
	return steps, nil
}

func parseStep(line string) (step, error) {
	s := step{source: line, channel: defaultChannel}
	switch {
	case line == "" || line[0] == '#':
		if mark, ok := strings.CutPrefix(line, "#: "); ok {
			s.mark = strings.TrimSpace(mark)
		}
		return s, nil
	case line[0] == '!':
		s.kind, s.words = act, strings.Fields(line[1:])
		if len(s.words) == 0 {
			return s, fmt.Errorf("a step without a word: %q", line)
		}
		return s, nil
	}
	return s, s.traffic(line)
}

// traffic reads what is sent or expected.
func (s *step) traffic(line string) (err error) {
	m := stepShape.FindStringSubmatch(line)
	if m == nil {
		return fmt.Errorf("not a step: %q", line)
	}
	if m[1] != "" {
		s.channel = m[1]
	}
	s.kind, s.raw, s.text = send, m[3] != "", m[4]
	if m[2] == "<" {
		s.kind = expect
	}
	if s.raw {
		if s.text, err = strconv.Unquote(m[4]); err != nil {
			return fmt.Errorf("not a quoted string: %s", m[4])
		}
		return nil
	}
	if s.kind == expect {
		s.pattern, err = compile(s.text)
	}
	return err
}
