//go:build e2e

package oracle

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains/ethereum/typed"
)

// A member is a field of a struct type.
type member struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// A schema is the struct types of a case. All hang on one, the message's.
type schema struct {
	types map[string][]member
	plain map[string]shape // the elementary types
}

// newSchema knows the types that a domain has.
func newSchema() *schema {
	s := &schema{types: map[string][]member{}, plain: map[string]shape{}}
	for _, e := range []shape{uintShape(256), addressShape(), fixedShape(32)} {
		s.plain[e.name] = e
	}
	return s
}

// structure declares a struct type and what it needs.
func (r *random) structure(s *schema, depth int) string {
	name := r.name(len(s.types))
	s.types[name] = nil // the name is taken
	var members []member
	for i := range 1 + r.IntN(5) {
		members = append(members, member{r.name(i), r.typed(s, depth-1)})
	}
	s.types[name] = members
	return name
}

// typed makes a type of EIP-712.
func (r *random) typed(s *schema, depth int) (typ string) {
	if depth == 0 || r.chance(2) {
		e := r.elementary()
		s.plain[e.name] = e
		typ = e.name
	} else {
		typ = r.structure(s, depth)
	}
	for range r.IntN(3) {
		typ += []string{"", "[]", fmt.Sprintf("[%d]", 1+r.IntN(3))}[r.IntN(3)]
	}
	return typ
}

// valueOf makes a value of a type.
func (r *random) valueOf(s *schema, typ string) any {
	if i := strings.LastIndexByte(typ, '['); strings.HasSuffix(typ, "]") {
		n, err := strconv.Atoi(typ[i+1 : len(typ)-1])
		if err != nil {
			n = r.IntN(4)
		}
		all := make([]any, n)
		for j := range all {
			all[j] = r.valueOf(s, typ[:i])
		}
		return all
	}
	if typ == "string" {
		// boatd refuses U+FFFD: it is what other programs make of broken text.
		return strings.ReplaceAll(r.text(60), "\ufffd", "")
	}
	if e, ok := s.plain[typ]; ok {
		return e.value(r)
	}
	value := map[string]any{}
	for _, m := range s.types[typ] {
		value[m.Name] = r.valueOf(s, m.Type)
	}
	return value
}

// domain makes a domain and the type of it.
func (r *random) domain(s *schema) (map[string]any, []member) {
	value, members := map[string]any{}, []member{}
	for len(members) == 0 {
		for _, m := range []member{{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"}, {"salt", "bytes32"}} {
			if r.chance(2) {
				value[m.Name], members = r.valueOf(s, m.Type), append(members, m)
			}
		}
	}
	return value, members
}

// TestE2EOracleTypedData: hashes and signatures of typed data (EIP-712).
func TestE2EOracleTypedData(t *testing.T) {
	cases(t, 4, 500, func(t *testing.T, r *random) {
		s := newSchema()
		primary := r.structure(s, 3)
		message := r.valueOf(s, primary)
		domain, members := r.domain(s)
		types := map[string][]member{"EIP712Domain": members}
		for name, m := range s.types {
			types[name] = m
		}
		text, err := json.Marshal(map[string]any{"types": types, "domain": domain, "primaryType": primary, "message": message})
		if err != nil {
			t.Fatal(err)
		}
		d, err := typed.Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		k := draw(t, r)
		sig := k.sign(t, d.Digest)
		var a struct{ Primary, Type, Separator, Digest, Who, Signature string }
		ask(t, question{"ask": "typed", "domain": domain, "types": s.types, "message": message, "primary": primary, "key": k.secret, "signature": showHex(sig)}, &a)
		if d.Primary != a.Primary || d.Type != a.Type || showHex(d.Domain.Separator) != a.Separator || showHex(d.Digest) != a.Digest {
			t.Errorf("%s:\n have %s %x %x\n want %s %s %s", text, d.Type, d.Domain.Separator, d.Digest, a.Type, a.Separator, a.Digest)
		}
		k.sameSignature(t, d.Digest, sig, a.Signature, a.Who)
	})
}

// TestE2EOracleMessages: hashes and signatures of messages (EIP-191). In some, r or
// s begins with a zero.
func TestE2EOracleMessages(t *testing.T) {
	cases(t, 5, 700, func(t *testing.T, r *random) {
		k := draw(t, r)
		message, digest, sig := k.someMessage(t, r)
		for wanted := r.chance(20); wanted && sig[0] != 0 && sig[32] != 0; {
			message, digest, sig = k.someMessage(t, r)
		}
		var a struct{ Digest, Who, Signature string }
		ask(t, question{"ask": "message", "message": showHex(message), "key": k.secret, "signature": showHex(sig)}, &a)
		if showHex(digest) != a.Digest {
			t.Errorf("%x:\n have %x\n want %s", message, digest, a.Digest)
		}
		k.sameSignature(t, digest, sig, a.Signature, a.Who)
	})
}

// someMessage draws a message and signs it.
func (k *signer) someMessage(t *testing.T, r *random) (message, digest, sig []byte) {
	t.Helper()
	message = r.bytes(1 + r.IntN(150))
	switch r.IntN(30) {
	case 0:
		message = nil
	case 1, 2, 3, 4, 5, 6, 7, 8, 9:
		message = []byte(r.text(60))
	}
	digest = typed.MessageDigest(message)
	return message, digest, k.sign(t, digest)
}

// sameSignature compares a signature with the oracle's, which is deterministic
// too (RFC 6979), and both with the key.
func (k *signer) sameSignature(t *testing.T, digest, sig []byte, want, who string) {
	t.Helper()
	if showHex(sig) != want {
		t.Errorf("signature of %x:\n have %x\n want %s", digest, sig, want)
	}
	if who != k.address {
		t.Errorf("by the oracle %s signed, not %s", who, k.address)
	}
	theirs, err := hex.DecodeString(strings.TrimPrefix(want, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	if mine, err := typed.Recover(digest, theirs); err != nil || mine != k.address {
		t.Errorf("by boatd %s signed, not %s: %v", mine, k.address, err)
	}
}
