package typed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of what [Parse] takes. A real message has a few hundred values; the
// deepest ones in use, orders in a tree of 24 dimensions, have 29 levels.
const (
	// MaxSize is the most bytes of JSON, 64 KiB.
	MaxSize = 64 << 10

	maxDepth  = 32   // objects and arrays within each other
	maxValues = 2048 // of every kind, in the whole text
)

// A reader turns JSON into nil, bool, string, json.Number, []any and
// map[string]any. It takes what encoding/json takes and refuses what two
// programs could understand differently.
type reader struct {
	dec  *json.Decoder
	left int // values
}

func readJSON(raw []byte) (any, error) {
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, more than %d", ErrData, len(raw), MaxSize)
	}
	if !json.Valid(raw) {
		return nil, fmt.Errorf("%w: no JSON", ErrData)
	}
	r := &reader{dec: json.NewDecoder(bytes.NewReader(raw)), left: maxValues}
	r.dec.UseNumber()
	return r.value(maxDepth)
}

func (r *reader) value(depth int) (any, error) {
	if r.left--; r.left < 0 {
		return nil, fmt.Errorf("%w: more than %d values", ErrData, maxValues)
	}
	token, err := r.dec.Token()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrData, err)
	}
	switch t := token.(type) {
	case string:
		return t, checkText(t)
	case json.Delim:
		if depth == 0 {
			return nil, fmt.Errorf("%w: deeper than %d levels", ErrData, maxDepth)
		}
		if t == '[' {
			return r.array(depth - 1)
		}
		return r.object(depth - 1)
	}
	return token, nil
}

func (r *reader) array(depth int) ([]any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.Token()
	return list, err
}

func (r *reader) object(depth int) (map[string]any, error) {
	object := map[string]any{}
	for r.dec.More() {
		token, err := r.dec.Token()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrData, err)
		}
		key, _ := token.(string) // valid JSON has no other key
		if _, twice := object[key]; twice {
			return nil, refuse(key, "it is there twice")
		}
		if object[key], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	return object, err
}

// checkText refuses U+FFFD. Bytes that are not UTF-8, and half of a surrogate
// pair (\ud800), become one here and something else elsewhere, and the two would
// sign different bytes. (In a key it is refused as what no identifier has.)
func checkText(s string) error {
	if strings.ContainsRune(s, utf8.RuneError) {
		return fmt.Errorf("%w: a string has a broken character: %.60q", ErrData, s)
	}
	return nil
}

// fields returns the values of an object that has these keys and no other.
func fields(where string, v any, keys ...string) (map[string]any, error) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, refuse(where, "not a JSON object")
	}
	for _, key := range keys {
		if _, there := object[key]; !there {
			return nil, refuse(where, "%q is missing", key)
		}
	}
	for key := range object {
		if !slices.Contains(keys, key) {
			return nil, refuse(where, "%.60q is not declared", key)
		}
	}
	return object, nil
}
