//go:build e2e

package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/common"
)

// A random makes the values of a case.
type random struct{ *rand.Rand }

// chance is true once in n times.
func (r *random) chance(n int) bool { return r.IntN(n) == 0 }

// bytes are n of them, sometimes with zeros or ones in front.
func (r *random) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if r.chance(4) {
		fill := []byte{0, 0xff}[r.IntN(2)]
		for i := range b[:r.IntN(n+1)] {
			b[i] = fill
		}
	}
	return b
}

func (r *random) hex(n int) string { return "0x" + hex.EncodeToString(r.bytes(n)) }

// integer is one of a type, often at its bounds or beside a power of two.
func (r *random) integer(bits int, signed bool) *big.Int {
	size := uint(bits)
	if signed {
		size--
	}
	top := new(big.Int).Lsh(big.NewInt(1), size) // one above the highest
	var v *big.Int
	switch r.IntN(6) {
	case 0:
		v = new(big.Int)
	case 1:
		v = new(big.Int).Sub(top, big.NewInt(1))
	case 2:
		v = new(big.Int).Lsh(big.NewInt(1), uint(r.IntN(int(size))))
	case 3:
		v = new(big.Int).Lsh(big.NewInt(1), uint(r.IntN(int(size))))
		v.Sub(v, big.NewInt(1))
	default:
		v = new(big.Int).SetBytes(r.bytes(32))
		v.Mod(v, top)
	}
	if signed && r.chance(2) {
		v.Not(v) // -v-1: from -1 down to the lowest
	}
	return v
}

func (r *random) address() string { return common.BytesToAddress(r.bytes(20)).Hex() }

// odd are characters that go wrong most easily: control characters, what JSON
// escapes, combining ones, the last of each length in UTF-8, beyond 16 bits, a
// byte order mark, both ends of the gap for surrogates.
var odd = []rune{0, 1, '\n', '\r', '"', '\\', '/', '<', 0x7f, 0x80, 0x7ff, 0x800, 0x301, 0x2028, 0xd7ff, 0xe000, 0xfeff, 0xfffd, 0xffff, 0x10000, 0x1f511, 0x10ffff}

// text is UTF-8 of up to n characters.
func (r *random) text(n int) string {
	var b strings.Builder
	for range r.IntN(n + 1) {
		switch r.IntN(4) {
		case 0:
			b.WriteRune(odd[r.IntN(len(odd))])
		case 1:
			if c := rune(r.IntN(utf8.MaxRune + 1)); utf8.ValidRune(c) {
				b.WriteRune(c)
			}
		default:
			b.WriteByte(byte(' ' + r.IntN(95)))
		}
	}
	return b.String()
}

// name is one for a function, a type or a field, different for each i.
func (r *random) name(i int) string {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_$"
	b := []byte{letters[r.IntN(len(letters))]}
	for range r.IntN(8) {
		b = append(b, (letters + "0123456789")[r.IntN(len(letters)+10)])
	}
	return fmt.Sprintf("%s_%d", b, i) // no word of a language
}

// A shape is a type of values.
type shape struct {
	name  string // canonical
	value func(r *random) any
	plain bool // neither an array nor a tuple
}

// elementary is a type that is not made of others.
func (r *random) elementary() shape {
	bits := 8 * (1 + r.IntN(32))
	switch r.IntN(7) {
	case 0:
		return uintShape(bits)
	case 1:
		return shape{name: fmt.Sprintf("int%d", bits), plain: true, value: func(r *random) any { return r.integer(bits, true).String() }}
	case 2:
		return shape{name: "bool", plain: true, value: func(r *random) any { return r.chance(2) }}
	case 3:
		return addressShape()
	case 4:
		return fixedShape(bits / 8)
	case 5:
		return shape{name: "bytes", plain: true, value: func(r *random) any { return r.hex(r.IntN(100)) }}
	}
	return textShape()
}

func uintShape(bits int) shape {
	return shape{name: fmt.Sprintf("uint%d", bits), plain: true, value: func(r *random) any { return r.integer(bits, false).String() }}
}

func addressShape() shape {
	return shape{name: "address", plain: true, value: func(r *random) any { return r.address() }}
}

func fixedShape(n int) shape {
	return shape{name: fmt.Sprintf("bytes%d", n), plain: true, value: func(r *random) any { return r.hex(n) }}
}

func textShape() shape {
	return shape{name: "string", plain: true, value: func(r *random) any { return r.text(60) }}
}

// shape is any type with at most so many arrays and tuples inside each other.
func (r *random) shape(depth int) shape {
	if depth == 0 || r.chance(2) {
		return r.elementary()
	}
	switch r.IntN(3) {
	case 0:
		parts := r.shapes(1, 3, depth-1)
		return shape{name: tuple(parts), value: func(r *random) any { return values(r, parts) }}
	case 1:
		elem, n := r.shape(depth-1), 1+r.IntN(3)
		return shape{name: fmt.Sprintf("%s[%d]", elem.name, n), value: func(r *random) any { return repeat(r, elem, n) }}
	}
	elem := r.shape(depth - 1)
	return shape{name: elem.name + "[]", value: func(r *random) any { return repeat(r, elem, r.IntN(4)) }}
}

func (r *random) shapes(least, most, depth int) []shape {
	all := make([]shape, least+r.IntN(most-least+1))
	for i := range all {
		all[i] = r.shape(depth)
	}
	return all
}

// tuple is what a list of types is called.
func tuple(parts []shape) string { return "(" + strings.Join(names(parts), ",") + ")" }

func names(parts []shape) []string {
	all := make([]string, len(parts))
	for i, p := range parts {
		all[i] = p.name
	}
	return all
}

func values(r *random, parts []shape) []any {
	all := make([]any, len(parts))
	for i, p := range parts {
		all[i] = p.value(r)
	}
	return all
}

func repeat(r *random, elem shape, n int) []any {
	all := make([]any, n)
	for i := range all {
		all[i] = elem.value(r)
	}
	return all
}

// written is a value as a host writes it.
func written(t *testing.T, v any) string {
	t.Helper()
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return fmt.Sprint(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
