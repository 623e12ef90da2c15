package abi

import (
	"encoding/hex"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// A Value is an argument or a returned value.
type Value struct {
	Type  *Type
	data  []byte  // of an elementary static value its word, of bytes and string the content
	parts []Value // of arrays and tuples
}

// Parts returns the elements of an array or the components of a tuple; nil for
// an elementary value.
func (v Value) Parts() []Value { return v.parts }

// Text returns the value as [Function.Encode] takes it: decimal, true or false,
// 0x hex, an address with its checksum, a string as it is; arrays and tuples as
// a JSON array with all but bools as strings. A string is foreign text: it may
// hold any character.
func (v Value) Text() string {
	switch v.Type.kind {
	case text:
		return string(v.data)
	case slice, array, tuple:
		return string(v.appendJSON(nil))
	case unsigned, signed:
		return v.integer().String()
	case boolean:
		return fmt.Sprint(v.data[wordSize-1] == 1)
	case address:
		return common.BytesToAddress(v.data).Hex()
	case fixedBytes, function:
		n, _ := v.Type.width()
		return "0x" + hex.EncodeToString(v.data[:n])
	}
	return "0x" + hex.EncodeToString(v.data)
}

func (v Value) integer() *big.Int {
	n := new(big.Int).SetBytes(v.data)
	if v.Type.kind == signed && v.data[0]&0x80 != 0 {
		n.Sub(n, two256)
	}
	return n
}

func (v Value) appendJSON(out []byte) []byte {
	switch {
	case v.Type.composite():
		out = append(out, '[')
		for i, p := range v.parts {
			if i > 0 {
				out = append(out, ',')
			}
			out = p.appendJSON(out)
		}
		return append(out, ']')
	case v.Type.kind == boolean:
		return append(out, v.Text()...)
	}
	return appendQuoted(out, v.Text())
}

// appendQuoted appends a JSON string; s is UTF-8.
func appendQuoted(out []byte, s string) []byte {
	out = append(out, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ':
			out = fmt.Appendf(out, `\u%04x`, c)
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		default:
			out = append(out, c)
		}
	}
	return append(out, '"')
}

// A Field is an elementary value as two texts.
type Field struct {
	Type string // canonical
	Text string // as Value.Text, but of a string 0x and its bytes in hex
}

// Fields returns the values for a line protocol, in which foreign text must
// not stand as it is. It says false where a value is an array or a tuple, or
// its text has more than limit bytes: the data can then only be shown whole.
func Fields(values []Value, limit int) ([]Field, bool) {
	fields := make([]Field, 0, len(values))
	for _, v := range values {
		if v.Type.composite() {
			return nil, false
		}
		if v.Type.kind == text {
			v = Value{Type: newType(dynamicBytes, 0), data: v.data}
			fields = append(fields, Field{Type: plainNames[text], Text: v.Text()})
		} else {
			fields = append(fields, Field{Type: v.Type.String(), Text: v.Text()})
		}
		if len(fields[len(fields)-1].Text) > limit {
			return nil, false
		}
	}
	return fields, true
}
