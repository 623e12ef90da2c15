package keyfile

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// fields reads the members of an object. The first problem is kept, also for
// the objects inside, and what is read after it means nothing.
type fields struct {
	members object
	problem *error
}

func (f fields) fail(is error, format string, args ...any) {
	if *f.problem == nil {
		*f.problem = fmt.Errorf("%w: "+format, append([]any{is}, args...)...)
	}
}

// sub returns an object inside.
func (f fields) sub(name string) fields {
	o, ok := f.members[name].(object)
	if !ok {
		f.fail(ErrFormat, "no object %q", name)
	}
	return fields{o, f.problem}
}

// text returns a string.
func (f fields) text(name string) string {
	s, ok := f.members[name].(string)
	if !ok {
		f.fail(ErrFormat, "no string %q", name)
	}
	return s
}

// number returns an integer, written without sign, point and exponent.
func (f fields) number(name string) uint64 {
	text, _ := f.members[name].(json.Number)
	n, err := strconv.ParseUint(text.String(), 10, 64)
	if err != nil {
		f.fail(ErrFormat, "%q is not an integer from 0 to 2^64-1", name)
	}
	return n
}

// must refuses every value but one, a string or a json.Number.
func (f fields) must(name string, want any) {
	switch got := f.members[name].(type) {
	case string, json.Number:
		if got != want {
			f.fail(ErrUnsupported, "%q is %.40q, not %q", name, got, want)
		}
	default:
		f.fail(ErrFormat, "no %q", name)
	}
}

// bytes returns what a string of hex says, least to most bytes.
func (f fields) bytes(name string, least, most int) []byte {
	b, err := hex.DecodeString(f.text(name))
	if err != nil || len(b) < least || len(b) > most {
		f.fail(ErrFormat, "%q is not %d to %d bytes of hex", name, least, most)
	}
	return b
}

// address returns the address, with or without 0x and in any case, and nil if
// there is none.
func (f fields) address() []byte {
	const name = "address"
	if f.members[name] == nil {
		return nil
	}
	b, err := hex.DecodeString(strings.TrimPrefix(lower(f.text(name)), "0x"))
	if err != nil || len(b) != 20 {
		f.fail(ErrFormat, "%q is not 20 bytes of hex", name)
	}
	return b
}

// derivation returns the function that kdf names with these parameters.
func (f fields) derivation(kdf string) derivation {
	f.must("dklen", json.Number(strconv.Itoa(derivedSize)))
	switch kdf {
	case "scrypt":
		s := scryptParams{n: f.number("n"), r: f.number("r"), p: f.number("p")}
		if s.n < 2 || s.n&(s.n-1) != 0 || s.r < 1 || s.p < 1 { // RFC 7914, 2
			f.fail(ErrFormat, "scrypt with n %d, r %d, p %d", s.n, s.r, s.p)
		}
		return s
	case "pbkdf2":
		f.must("prf", web3PRF)
		c := pbkdf2Count(f.number("c"))
		if c < 1 {
			f.fail(ErrFormat, "PBKDF2 with %d iterations", c)
		}
		return c
	}
	f.fail(ErrUnsupported, "the key derivation %.40q", kdf)
	return nil
}
