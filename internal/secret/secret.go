// Package secret holds bytes that must not be shown: private keys, key-encryption
// keys, PINs. A [Bytes] cannot be printed, logged, marshalled or compared with
// == by accident; what wants the bytes says so with [Bytes.Use].
//
// Go moves no heap objects, so wiping works on what is held here; it cannot
// reach copies that a library, a stack that grew or the kernel's swap has made.
package secret

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

// redacted is what a secret looks like wherever it is written.
const redacted = "(secret)"

// errMarshal: a marshaller that would have to give the bytes gets nothing.
var errMarshal = errors.New("a secret is not marshalled")

// Bytes is a string of secret bytes. Copies of a value share the bytes: wiping
// one wipes all. The zero value is an empty secret. It is not safe to wipe
// while another goroutine uses it.
type Bytes struct {
	// A function, because nothing looks into one: fmt calls no methods of
	// unexported fields and would print a slice here, or follow a pointer to
	// one. Nor are functions equal to anything, for == and reflect.DeepEqual.
	held func() *[]byte
}

// New takes b over as a secret: the caller keeps no other reference to it.
func New(b []byte) Bytes {
	p := &b
	return Bytes{held: func() *[]byte { return p }}
}

// Read makes a secret of the next n bytes of r. A source that fails or ends
// early is an error.
func Read(r io.Reader, n int) (Bytes, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		Wipe(b)
		return Bytes{}, fmt.Errorf("reading %d random bytes: %w", n, err)
	}
	return New(b), nil
}

// Len returns the number of bytes; 0 after Wipe.
func (s Bytes) Len() int { return len(s.bytes()) }

// Use calls f with the bytes themselves, which f must neither keep nor change,
// and returns what f returns. After Wipe they are none.
func (s Bytes) Use(f func(b []byte) error) error {
	return f(s.bytes())
}

// Equal compares in a time that depends on the lengths only.
func (s Bytes) Equal(o Bytes) bool {
	return subtle.ConstantTimeCompare(s.bytes(), o.bytes()) == 1
}

// Wipe overwrites the bytes and leaves an empty secret, so that a use after it
// fails rather than works with zeros.
func (s Bytes) Wipe() {
	if s.held != nil {
		p := s.held()
		Wipe(*p)
		*p = nil
	}
}

func (s Bytes) bytes() []byte {
	if s.held == nil {
		return nil
	}
	return *s.held()
}

// Wipe overwrites a slice that held a secret.
func Wipe(b []byte) {
	clear(b)
	runtime.KeepAlive(b) // the writes are not dead
}

// String and the methods below show that there is a secret, and nothing of it.
func (Bytes) String() string { return redacted }

// GoString is String for %#v.
func (Bytes) GoString() string { return redacted }

// Format is String for every verb.
func (Bytes) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is String for log/slog.
func (Bytes) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is String for texts that people read.
func (Bytes) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON is String for logs in JSON.
func (Bytes) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalBinary fails: CBOR and gob are for keeping values, and a secret that
// silently became its redaction would be lost.
func (Bytes) MarshalBinary() ([]byte, error) { return nil, errMarshal }
