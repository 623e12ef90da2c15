package keyfile

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// maxDepth is how deep objects and arrays may lie in each other; the format
// has three levels, extensions of wallets four.
const maxDepth = 8

// An object is a JSON object by its names in lower case. Values are strings,
// json.Numbers, objects, and nil for everything else, which the format has no
// use for.
//
// encoding/json would fill a struct more briefly, but takes the last of two
// equal names, and names in any case, which other programs may not: two readers
// would see two keys in one file. Here names are equal in any case (`Crypto` is
// what old programs write) and may not occur twice.
type object map[string]any

// parseObject reads a file that is one JSON object.
func parseObject(file []byte) (object, error) {
	if !json.Valid(file) { // stricter than tokens, which need no end
		return nil, fmt.Errorf("%w: not JSON", ErrFormat)
	}
	d := json.NewDecoder(bytes.NewReader(file))
	d.UseNumber()
	v, err := parseValue(d, 0)
	if err != nil {
		return nil, err
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("%w: not a JSON object", ErrFormat)
	}
	return o, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: JSON deeper than %d", ErrFormat, maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	switch t {
	case json.Delim('{'):
		return parseMembers(d, depth)
	case json.Delim('['):
		return nil, skipElements(d, depth)
	}
	switch t.(type) {
	case string, json.Number:
		return t, nil
	}
	return nil, nil // true, false and null
}

func parseMembers(d *json.Decoder, depth int) (object, error) {
	o := object{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		name := lower(t.(string)) // between braces a decoder returns no other token
		if _, twice := o[name]; twice {
			return nil, fmt.Errorf("%w: the name %.40q twice", ErrFormat, name)
		}
		if o[name], err = parseValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err := d.Token() // the brace
	return o, err
}

func skipElements(d *json.Decoder, depth int) error {
	for d.More() {
		if _, err := parseValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token() // the bracket
	return err
}

// lower changes A to Z only: Unicode knows other letters whose lower case is
// one of ours.
func lower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
