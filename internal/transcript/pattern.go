package transcript

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// words stand for expressions that are wanted often.
var words = map[string]string{
	"int":     `[0-9]+`,
	"hash":    `[0-9a-f]{64}`,
	"address": `0x[0-9a-fA-F]{40}`,
}

// A part of a pattern: literal text, a name to be replaced, or a name to be
// given to what an expression matches.
type part struct{ literal, name, expr string }

// A pattern is an expected line.
type pattern struct{ parts []part }

var (
	nameShape   = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)
	repeatShape = regexp.MustCompile(`^(.+)\*([0-9]{1,4})$`)
)

// compile reads a pattern. Braces that hold no name are text.
func compile(text string) (*pattern, error) {
	p := &pattern{}
	literal := ""
	for text != "" {
		inside, rest, ok := braces(text)
		if m := repeatShape.FindStringSubmatch(inside); ok && m != nil {
			n, _ := strconv.Atoi(m[2]) // at most four digits
			literal, text = literal+strings.Repeat(m[1], n), rest
			continue
		}
		name, expr, captures := strings.Cut(inside, "=")
		if !ok || !nameShape.MatchString(name) {
			literal += text[:1]
			text = text[1:]
			continue
		}
		if captures {
			if long, ok := words[expr]; ok {
				expr = long
			}
			if _, err := regexp.Compile(expr); err != nil || expr == "" {
				return nil, fmt.Errorf("{%s}: not a regular expression: %w", inside, err)
			}
		}
		p.parts = append(p.parts, part{literal: literal}, part{name: name, expr: expr})
		literal, text = "", rest
	}
	p.parts = append(p.parts, part{literal: literal})
	return p, nil
}

// braces returns what stands between the brace with which text begins and the
// one that closes it.
func braces(text string) (inside, rest string, ok bool) {
	depth := 0
	for i, r := range text {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		if depth == 0 {
			return text[min(1, i):i], text[i+1:], i > 0
		}
	}
	return "", "", false
}

// expand puts what was remembered in the place of names.
func expand(text string, known map[string]string) (string, error) {
	p, err := compile(text)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, part := range p.parts {
		value, ok := known[part.name]
		switch {
		case part.name == "":
			b.WriteString(part.literal)
		case part.expr != "" || !ok:
			return "", fmt.Errorf("{%s} is not known yet", part.name)
		default:
			b.WriteString(value)
		}
	}
	return b.String(), nil
}

// match compares a line and remembers what it captures.
func (p *pattern) match(line string, known map[string]string) (bool, error) {
	var b strings.Builder
	var names []string
	for _, part := range p.parts {
		switch value, ok := known[part.name]; {
		case part.name == "":
			b.WriteString(regexp.QuoteMeta(part.literal))
		case part.expr != "":
			names = append(names, part.name)
			fmt.Fprintf(&b, "(?P<%s>%s)", part.name, part.expr)
		case !ok:
			return false, fmt.Errorf("{%s} is not known yet", part.name)
		default:
			b.WriteString(regexp.QuoteMeta(value))
		}
	}
	re, err := regexp.Compile("^(?:" + b.String() + ")$")
	if err != nil {
		return false, err
	}
	m := re.FindStringSubmatch(line)
	if m == nil {
		return false, nil
	}
	for _, name := range names {
		known[name] = m[re.SubexpIndex(name)]
	}
	return true, nil
}

// fixed says whether the pattern captures nothing and names nothing.
func (p *pattern) fixed() bool {
	return len(p.parts) == 1
}

// shown is the pattern as a reader sees it: expressions as their names.
func (p *pattern) shown() string {
	var b strings.Builder
	for _, part := range p.parts {
		if part.name != "" {
			b.WriteString("<" + part.name + ">")
		}
		b.WriteString(part.literal)
	}
	return b.String()
}
