package abi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// A jsonText is read from left to right by the type that it must have, so that
// numbers stay text and nothing is read twice (RFC 8259).
type jsonText struct {
	text string // UTF-8
	at   int
}

func (j *jsonText) fail(format string, args ...any) error {
	return fmt.Errorf("JSON at byte %d: %s", j.at+1, fmt.Sprintf(format, args...))
}

// peek returns the next byte that is not white space; -1 at the end.
func (j *jsonText) peek() int {
	for ; j.at < len(j.text); j.at++ {
		if c := j.text[j.at]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return int(c)
		}
	}
	return -1
}

func (j *jsonText) accept(c byte) bool {
	if j.peek() != int(c) {
		return false
	}
	j.at++
	return true
}

// json reads a value of type t.
func (r *reader) json(t *Type, j *jsonText) (Value, error) {
	if !t.composite() {
		arg, err := j.scalar(t)
		if err != nil {
			return Value{}, err
		}
		return r.elementary(t, arg)
	}
	if err := r.take(t.own()); err != nil {
		return Value{}, err
	}
	var parts []Value
	var err error
	switch {
	case j.accept('['):
		parts, err = r.array(t, j)
	case t.kind == tuple && j.accept('{'):
		parts, err = r.object(t, j)
	default:
		err = j.fail("want [ for %.60s", t)
	}
	return Value{Type: t, parts: parts}, err
}

// own is how many bytes a composite value takes besides its parts.
func (t *Type) own() int {
	switch {
	case t.kind == slice:
		return 2 * wordSize // offset, length
	case t.dynamic:
		return wordSize // offset
	}
	return 0
}

// array reads what follows [.
func (r *reader) array(t *Type, j *jsonText) (parts []Value, err error) {
	want := t.count()
	for more := !j.accept(']'); more; more = !j.accept(']') {
		if len(parts) > 0 && !j.accept(',') {
			return nil, j.fail("want , or ]")
		}
		if len(parts) == want {
			return nil, j.fail("more than the %d parts of %.60s", want, t)
		}
		v, err := r.json(t.at(len(parts)), j)
		if err != nil {
			return nil, fmt.Errorf("part %d: %w", len(parts)+1, err)
		}
		parts = append(parts, v)
	}
	if want >= 0 && len(parts) < want {
		return nil, j.fail("%d of the %d parts of %.60s", len(parts), want, t)
	}
	return parts, nil
}

// object reads what follows {.
func (r *reader) object(t *Type, j *jsonText) ([]Value, error) {
	parts, found := make([]Value, len(t.fields)), 0
	for more := !j.accept('}'); more; more = !j.accept('}') {
		if found > 0 && !j.accept(',') {
			return nil, j.fail("want , or }")
		}
		name, err := j.string()
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(t.fields, func(f Param) bool { return f.Name == name })
		switch {
		case name == "" || i < 0:
			return nil, j.fail("%.60s has no component %.60q", t, name)
		case parts[i].Type != nil:
			return nil, j.fail("component %.60q stands twice", name)
		case !j.accept(':'):
			return nil, j.fail("want :")
		}
		if parts[i], err = r.json(t.fields[i].Type, j); err != nil {
			return nil, fmt.Errorf("component %.60s: %w", name, err)
		}
		found++
	}
	if found < len(parts) {
		return nil, j.fail("%d of the %d components of %.60s", found, len(parts), t)
	}
	return parts, nil
}

// scalar reads the text of an elementary value.
func (j *jsonText) scalar(t *Type) (string, error) {
	if j.peek() == '"' {
		return j.string()
	}
	start := j.at
	for j.at < len(j.text) && strings.IndexByte(" \t\r\n,]}:[{\"", j.text[j.at]) < 0 {
		j.at++
	}
	literal := j.text[start:j.at]
	switch {
	case t.kind == boolean && (literal == "true" || literal == "false"):
	case (t.kind == unsigned || t.kind == signed) && isNumber(literal):
	default:
		j.at = start
		return "", j.fail("want a %s, not %.60q", t, literal)
	}
	return literal, nil
}

// isNumber: the literal is a JSON number without fraction and exponent.
func isNumber(literal string) bool {
	digits := strings.TrimPrefix(literal, "-")
	return digits != "" && strings.Trim(digits, "0123456789") == "" && (digits == "0" || digits[0] != '0')
}

// string reads a JSON string.
func (j *jsonText) string() (string, error) {
	if !j.accept('"') {
		return "", j.fail("want a string")
	}
	var out []byte
	for j.at < len(j.text) {
		c := j.text[j.at]
		j.at++
		switch {
		case c == '"':
			return string(out), nil
		case c < ' ':
			return "", j.fail("a control character in a string")
		case c != '\\':
			out = append(out, c)
		default:
			r, err := j.escape()
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		}
	}
	return "", j.fail("a string without end")
}

// escape reads what follows a backslash.
func (j *jsonText) escape() (rune, error) {
	if j.at == len(j.text) {
		return 0, j.fail("a string without end")
	}
	c := j.text[j.at]
	if i := strings.IndexByte(`"\/bfnrt`, c); i >= 0 {
		j.at++
		return rune("\"\\/\b\f\n\r\t"[i]), nil
	}
	r, err := j.unit()
	if err == nil && utf16.IsSurrogate(r) {
		var low rune
		if !strings.HasPrefix(j.text[j.at:], `\`) {
			return 0, j.fail("half a character in a string")
		}
		j.at++
		if low, err = j.unit(); err == nil {
			if r = utf16.DecodeRune(r, low); r == unicode.ReplacementChar {
				err = j.fail("half a character in a string")
			}
		}
	}
	return r, err
}

// unit reads u and four hex digits, one unit of UTF-16.
func (j *jsonText) unit() (rune, error) {
	rest := j.text[j.at:]
	if len(rest) >= 5 && rest[0] == 'u' {
		if n, err := strconv.ParseUint(rest[1:5], 16, 16); err == nil {
			j.at += 5
			return rune(n), nil
		}
	}
	return 0, j.fail("an escape that JSON does not have")
}
