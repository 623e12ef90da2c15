package secret

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/fxamacker/cbor/v2"
)

const plain = "\x01\x7fHunter2Hunter2\xee"

func of(s string) Bytes { return New([]byte(s)) }

// shows says whether text holds the secret in a form that people or programs
// could read back.
func shows(text string) bool {
	if strings.Contains(text, "Hunter2") || strings.Contains(strings.ToLower(text), hex.EncodeToString([]byte("Hunter2"))) {
		return true
	}
	decimal := strings.Trim(fmt.Sprint([]byte("Hunter2")), "[]")
	return strings.Contains(text, decimal)
}

func TestNothingShows(t *testing.T) {
	s := of(plain)
	type outer struct {
		Name   string
		Public Bytes
		hidden Bytes
		ptr    *Bytes
		list   []Bytes
		m      map[string]Bytes
	}
	o := outer{"o", s, s, &s, []Bytes{s}, map[string]Bytes{"k": s}}
	for _, v := range []any{s, &s, o, &o, []any{s}, fmt.Errorf("wrapped: %v", s)} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%c", "%U", "% x", "%08b", "%t", "%p"} {
			if out := fmt.Sprintf(verb, v); shows(out) {
				t.Errorf("%s of %T shows the secret: %s", verb, v, out)
			}
		}
		if b, err := json.Marshal(v); err == nil && shows(string(b)) {
			t.Errorf("JSON of %T shows the secret: %s", v, b)
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "o", o)
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "o", o)
	if shows(log.String()) || !strings.Contains(log.String(), redacted) {
		t.Errorf("log: %s", log.String())
	}
}

func TestRedactionIsSaid(t *testing.T) {
	s := of(plain)
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	js, err := json.Marshal(map[string]Bytes{"k": s})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []string{s.String(), s.GoString(), string(text), fmt.Sprint(s), string(js)} {
		if !strings.Contains(got, redacted) {
			t.Errorf("got %q", got)
		}
	}
}

func TestBinaryMarshalFails(t *testing.T) {
	s := of(plain)
	if _, err := s.MarshalBinary(); !errors.Is(err, errMarshal) {
		t.Errorf("MarshalBinary: %v", err)
	}
	if err := gob.NewEncoder(io.Discard).Encode(s); err == nil {
		t.Error("gob took a secret")
	}
	if _, err := cbor.Marshal(struct{ S Bytes }{s}); err == nil {
		t.Error("CBOR took a secret")
	}
}

func TestNotComparable(t *testing.T) {
	if reflect.TypeFor[Bytes]().Comparable() {
		t.Error("secrets can be compared with ==")
	}
	if s := of(plain); reflect.DeepEqual(s, s) {
		t.Error("secrets can be compared with reflect.DeepEqual")
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b Bytes
		want bool
	}{
		{of("abc"), of("abc"), true},
		{of("abc"), of("abd"), false},
		{of("abc"), of("ab"), false},
		{of(""), Bytes{}, true},
		{of("a"), Bytes{}, false},
	} {
		if got := c.a.Equal(c.b); got != c.want {
			t.Errorf("Equal is %v, want %v", got, c.want)
		}
	}
}

func TestWipe(t *testing.T) {
	b := []byte(plain)
	s := New(b)
	copied := s
	if s.Len() != len(plain) {
		t.Fatalf("Len %d", s.Len())
	}
	if err := s.Use(func(got []byte) error {
		if string(got) != plain {
			return fmt.Errorf("%q", got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	copied.Wipe()
	if !bytes.Equal(b, make([]byte, len(plain))) {
		t.Errorf("bytes after Wipe: %q", b)
	}
	if s.Len() != 0 {
		t.Error("a copy still holds bytes after Wipe")
	}
	s.Wipe()       // again
	Bytes{}.Wipe() // and of nothing
}

func TestUseReturnsTheError(t *testing.T) {
	want := errors.New("x")
	if err := (Bytes{}).Use(func([]byte) error { return want }); !errors.Is(err, want) {
		t.Error(err)
	}
}

func TestRead(t *testing.T) {
	s, err := Read(strings.NewReader("abcdef"), 4)
	if err != nil || !s.Equal(of("abcd")) {
		t.Fatal(err)
	}
	if _, err := Read(strings.NewReader("abc"), 4); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("short source: %v", err)
	}
	boom := errors.New("boom")
	if _, err := Read(iotest.ErrReader(boom), 4); !errors.Is(err, boom) {
		t.Errorf("failing source: %v", err)
	}
}
