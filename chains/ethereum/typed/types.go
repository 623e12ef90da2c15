package typed

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
)

const (
	maxTypes   = 32
	maxMembers = 64 // of one type
	maxName    = 64 // bytes
	maxDims    = 96 // bytes: maxDepth times [n]
	domainType = "EIP712Domain"
)

var (
	// An identifier is what it is in Solidity.
	identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)
	// A type is a name and dimensions, [n] or [], the last one outermost.
	typeText = regexp.MustCompile(`^([A-Za-z_$][A-Za-z0-9_$]*)((?:\[(?:[1-9][0-9]{0,4})?\])*)$`)
	// These names are Solidity's, whether EIP-712 has such a type or not.
	reserved = regexp.MustCompile(`^(?:address|bool|string|function|(?:bytes|u?int)[0-9]*|u?fixed(?:[0-9]+x[0-9]+)?)$`)
)

// A member is one field of a struct type.
type member struct{ name, typ string }

// structs are the struct types of a text by name.
type structs struct {
	members map[string][]member
	hashes  map[string][]byte // typeHash of those that were asked for
}

func readTypes(v any) (*structs, error) {
	object, ok := v.(map[string]any)
	if !ok || len(object) > maxTypes {
		return nil, refuse("types", "not an object of at most %d types", maxTypes)
	}
	s := &structs{members: map[string][]member{}, hashes: map[string][]byte{}}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		members, err := readMembers(name, object[name])
		if err != nil {
			return nil, err
		}
		s.members[name] = members
	}
	for name, members := range s.members {
		for _, m := range members {
			if !s.known(m.typ) {
				return nil, refuse(name+"."+m.name, "no such type: %.80q", m.typ)
			}
		}
	}
	return s, nil
}

func readMembers(name string, v any) ([]member, error) {
	list, ok := v.([]any)
	switch {
	case len(name) > maxName || !identifier.MatchString(name) || reserved.MatchString(name):
		return nil, refuse(name, "not a name for a type")
	case !ok || len(list) == 0 || len(list) > maxMembers:
		return nil, refuse(name, "a type is a list of 1 to %d fields", maxMembers)
	}
	var members []member
	seen := map[string]bool{}
	for _, item := range list {
		object, err := fields(name, item, "name", "type")
		if err != nil {
			return nil, err
		}
		field, _ := object["name"].(string)
		typ, _ := object["type"].(string)
		if len(field) > maxName || !identifier.MatchString(field) || seen[field] {
			return nil, refuse(name, "%.80q is not a name for a field, or is there twice", field)
		}
		seen[field] = true
		members = append(members, member{field, typ})
	}
	return members, nil
}

// known says whether a type is an atomic or dynamic one, a struct type that is
// declared, or an array of these.
func (s *structs) known(typ string) bool {
	m := typeText.FindStringSubmatch(typ)
	return m != nil && len(m[2]) <= maxDims && (s.members[m[1]] != nil || elementary(m[1]))
}

// elementary says whether name is an atomic or a dynamic type of EIP-712, which
// has no aliases (uint, int).
func elementary(name string) bool {
	switch name {
	case "address", "bool", "string", "bytes":
		return true
	}
	bits, _ := integer(name)
	return bits > 0 || byteCount(name) > 0
}

// integer returns the width of an integer type, 0 for another type.
func integer(typ string) (bits int, signed bool) {
	digits, unsigned := strings.CutPrefix(typ, "uint")
	if !unsigned {
		if digits, signed = strings.CutPrefix(typ, "int"); !signed {
			return 0, false
		}
	}
	bits = plain(digits)
	if bits%8 != 0 || bits > 256 {
		bits = 0
	}
	return bits, signed
}

// byteCount returns the length of a type bytes1 to bytes32, 0 for another type.
func byteCount(typ string) int {
	digits, ok := strings.CutPrefix(typ, "bytes")
	n := plain(digits)
	if !ok || n > 32 {
		return 0
	}
	return n
}

// plain reads a positive number in its only form, 0 for anything else.
func plain(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n < 0 || strconv.Itoa(n) != digits {
		return 0
	}
	return n
}

// split takes the outermost dimension off an array type; size is 0 for a
// dynamic one.
func split(typ string) (element string, size int, isArray bool) {
	if !strings.HasSuffix(typ, "]") {
		return typ, 0, false
	}
	i := strings.LastIndexByte(typ, '[')
	return typ[:i], plain(typ[i+1 : len(typ)-1]), true
}

// encodeType returns a struct type and, sorted, the others that it refers to,
// itself or through them. A type may refer back to itself.
func (s *structs) encodeType(name string) string {
	found := map[string]bool{}
	s.collect(name, found)
	delete(found, name)
	var b strings.Builder
	for _, n := range append([]string{name}, slices.Sorted(maps.Keys(found))...) {
		b.WriteString(n)
		separator := "("
		for _, m := range s.members[n] {
			b.WriteString(separator + m.typ + " " + m.name)
			separator = ","
		}
		b.WriteString(")")
	}
	return b.String()
}

// collect goes at most maxTypes deep: it enters each type once.
func (s *structs) collect(name string, found map[string]bool) {
	if s.members[name] == nil || found[name] {
		return
	}
	found[name] = true
	for _, m := range s.members[name] {
		base, _, _ := strings.Cut(m.typ, "[")
		s.collect(base, found)
	}
}

func (s *structs) typeHash(name string) []byte {
	if s.hashes[name] == nil {
		s.hashes[name] = crypto.Keccak256([]byte(s.encodeType(name)))
	}
	return s.hashes[name]
}
