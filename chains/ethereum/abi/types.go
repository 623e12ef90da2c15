package abi

import (
	"strconv"
	"strings"
)

// Bounds. They keep what one signature can demand small, whatever it says.
const (
	maxSignature = 2048     // bytes of text
	maxEncoded   = 64 << 10 // bytes of encoded values
	maxDepth     = 16       // arrays and tuples inside each other
	maxParams    = 64       // parameters or components in one list
	wordSize     = 32
)

type kind uint8

const (
	unsigned kind = iota
	signed
	boolean
	address
	fixedBytes
	function
	dynamicBytes
	text
	slice // T[]
	array // T[k]
	tuple
)

// A Type is the type of a value. Types are made by parsing signatures and never
// change.
type Type struct {
	kind    kind
	size    int     // bits of an integer, bytes of bytesN, elements of T[k]
	elem    *Type   // of arrays
	fields  []Param // of tuples
	depth   int     // arrays and tuples down to the deepest element
	dynamic bool    // the head has an offset, the value stands behind
	least   int     // fewest bytes of an encoding, with that offset
}

// newType makes an elementary type.
func newType(k kind, size int) *Type {
	t := &Type{kind: k, size: size, least: wordSize}
	if k == dynamicBytes || k == text {
		t.dynamic, t.least = true, 2*wordSize
	}
	return t
}

func newSlice(elem *Type) *Type {
	return &Type{kind: slice, elem: elem, depth: elem.depth + 1, dynamic: true, least: 2 * wordSize}
}

// newArray makes T[k]; k and the elements' sizes are within maxEncoded, so that
// the product fits 32 bits.
func newArray(elem *Type, k int) *Type {
	t := &Type{kind: array, size: k, elem: elem, depth: elem.depth + 1, dynamic: elem.dynamic, least: k * elem.least}
	if t.dynamic {
		t.least += wordSize
	}
	return t
}

func newTuple(fields []Param) *Type {
	t := &Type{kind: tuple, fields: fields, least: least(fields)}
	for _, f := range fields {
		t.depth = max(t.depth, f.Type.depth)
		t.dynamic = t.dynamic || f.Type.dynamic
	}
	t.depth++
	if t.dynamic {
		t.least += wordSize
	}
	return t
}

// least is the fewest bytes that the encoding of params takes.
func least(params []Param) (n int) {
	for _, p := range params {
		n += p.Type.least
	}
	return n
}

// composite: the value is made of other values.
func (t *Type) composite() bool { return t.kind >= slice }

// head is how many bytes of a frame's head the type takes.
func (t *Type) head() int {
	if t.dynamic {
		return wordSize
	}
	return t.least
}

// at returns the type of part i of a composite value.
func (t *Type) at(i int) *Type {
	if t.kind == tuple {
		return t.fields[i].Type
	}
	return t.elem
}

// count returns how many parts a composite value has; -1 for any number.
func (t *Type) count() int {
	switch t.kind {
	case tuple:
		return len(t.fields)
	case array:
		return t.size
	}
	return -1
}

// width is how many bytes of its word an elementary static value uses, and
// whether they stand at the word's left end.
func (t *Type) width() (n int, left bool) {
	switch t.kind {
	case boolean:
		return 1, false
	case address:
		return 20, false
	case fixedBytes:
		return t.size, true
	case function:
		return 24, true
	}
	return t.size / 8, false
}

// String returns the type's canonical name, the one that selectors are made of.
func (t *Type) String() string {
	var b strings.Builder
	t.write(&b)
	return b.String()
}

func (t *Type) write(b *strings.Builder) {
	switch t.kind {
	case unsigned:
		b.WriteString("uint" + strconv.Itoa(t.size))
	case signed:
		b.WriteString("int" + strconv.Itoa(t.size))
	case fixedBytes:
		b.WriteString("bytes" + strconv.Itoa(t.size))
	case slice:
		t.elem.write(b)
		b.WriteString("[]")
	case array:
		t.elem.write(b)
		b.WriteString("[" + strconv.Itoa(t.size) + "]")
	case tuple:
		writeTuple(b, t.fields)
	default:
		b.WriteString(plainNames[t.kind])
	}
}

// plainNames are the names that have no number in them.
var plainNames = [...]string{
	boolean: "bool", address: "address", function: "function", dynamicBytes: "bytes", text: "string",
}

func writeTuple(b *strings.Builder, fields []Param) {
	b.WriteByte('(')
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		f.Type.write(b)
	}
	b.WriteByte(')')
}
