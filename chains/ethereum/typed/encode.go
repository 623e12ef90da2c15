package typed

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
)

// maxPath bounds the memory that paths take: there is one for each value.
const maxPath = 512

// An encoder encodes values as their types say, and notes what it has encoded.
type encoder struct {
	*structs
	fields []Field
}

// hashStruct is keccak256(typeHash ‖ encodeData(v)).
func (e *encoder) hashStruct(path, typ string, v any) ([]byte, error) {
	members := e.members[typ]
	names := make([]string, len(members))
	for i, m := range members {
		names[i] = m.name
	}
	object, err := fields(path, v, names...)
	if err != nil {
		return nil, err
	}
	words := [][]byte{e.typeHash(typ)}
	for _, m := range members {
		word, err := e.value(join(path, m.name), m.typ, object[m.name])
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return crypto.Keccak256(words...), nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// value returns the word of 32 bytes that stands for a value.
func (e *encoder) value(path, typ string, v any) ([]byte, error) {
	if len(path) > maxPath {
		return nil, refuse(path, "the path to it is longer than %d bytes", maxPath)
	}
	if element, size, isArray := split(typ); isArray {
		return e.array(path, typ, element, size, v)
	}
	if e.members[typ] != nil {
		return e.hashStruct(path, typ, v)
	}
	word, text, err := atom(path, typ, v)
	e.note(path, typ, text)
	return word, err
}

// array is keccak256 of the words of the elements; where these are structs,
// that of their hashes, as all wallets do it.
func (e *encoder) array(path, typ, element string, size int, v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok || size != 0 && len(list) != size {
		return nil, refuse(path, "not a list for %s", typ)
	}
	e.note(path, typ, strconv.Itoa(len(list)))
	var words [][]byte
	for i, item := range list {
		word, err := e.value(path+"["+strconv.Itoa(i)+"]", element, item)
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
	return crypto.Keccak256(words...), nil
}

func (e *encoder) note(path, typ, text string) {
	e.fields = append(e.fields, Field{Path: path, Type: typ, Value: text})
}

// atom encodes a value of an atomic or dynamic type and says it in its one form.
func atom(path, typ string, v any) (word []byte, text string, err error) {
	switch typ {
	case "bool":
		return boolean(path, v)
	case "address":
		return address(path, v)
	case "string":
		s, ok := v.(string)
		if !ok {
			return nil, "", refuse(path, "not a string")
		}
		return crypto.Keccak256([]byte(s)), s, nil
	case "bytes":
		b, err := binary(path, v)
		return crypto.Keccak256(b), "0x" + hex.EncodeToString(b), err
	}
	if n := byteCount(typ); n > 0 {
		b, err := binary(path, v)
		if err == nil && len(b) != n {
			err = refuse(path, "%d bytes for %s", len(b), typ)
		}
		return common.RightPadBytes(b, 32), "0x" + hex.EncodeToString(b), err
	}
	return number(path, typ, v)
}

func boolean(path string, v any) ([]byte, string, error) {
	b, ok := v.(bool)
	if !ok {
		return nil, "", refuse(path, "neither true nor false")
	}
	word := make([]byte, 32)
	if b {
		word[31] = 1
	}
	return word, strconv.FormatBool(b), nil
}

func address(path string, v any) ([]byte, string, error) {
	text, _ := v.(string)
	a, err := readAddress(text)
	if err != nil {
		return nil, "", fmt.Errorf("%w: %.60q: %w", ErrData, path, err)
	}
	return common.LeftPadBytes(a[:], 32), a.Hex(), nil
}

// readAddress reads 0x and 40 hex digits: chains.ErrAddress for anything else.
// Digits of both cases are the checksum of EIP-55: chains.ErrChecksum for a
// wrong one.
func readAddress(text string) (a common.Address, err error) {
	digits, ok := strings.CutPrefix(text, "0x")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil || len(b) != common.AddressLength {
		return a, fmt.Errorf("%w: %.60q", chains.ErrAddress, text)
	}
	a = common.BytesToAddress(b)
	if digits != strings.ToLower(digits) && digits != strings.ToUpper(digits) && text != a.Hex() {
		return a, fmt.Errorf("%w: %q", chains.ErrChecksum, text)
	}
	return a, nil
}

// binary reads 0x and hex digits of either case, two for each byte.
func binary(path string, v any) ([]byte, error) {
	s, _ := v.(string)
	digits, ok := strings.CutPrefix(s, "0x")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return nil, refuse(path, "not 0x and hex digits of whole bytes")
	}
	return b, nil
}

var (
	decimal     = regexp.MustCompile(`^(?:0|-?[1-9][0-9]{0,77})$`)
	hexadecimal = regexp.MustCompile(`^0x[0-9a-fA-F]{1,64}$`)
)

// number reads an integer: a JSON number without fraction or exponent, a string
// with the same digits, or a string of 0x and hex digits.
func number(path, typ string, v any) ([]byte, string, error) {
	text, _ := v.(string)
	if n, ok := v.(json.Number); ok {
		text = n.String()
	}
	i := new(big.Int)
	switch {
	case decimal.MatchString(text):
		i.SetString(text, 10)
	case hexadecimal.MatchString(text):
		i.SetString(text[2:], 16)
	default:
		return nil, "", refuse(path, "not an integer for %s", typ)
	}
	bits, signed := integer(typ)
	if !inRange(i, bits, signed) {
		return nil, "", refuse(path, "out of the range of %s", typ)
	}
	shown := i.String()
	if i.Sign() < 0 {
		i.Add(i, new(big.Int).Lsh(big.NewInt(1), 256)) // two's complement
	}
	return i.FillBytes(make([]byte, 32)), shown, nil
}

// inRange: 0 to 2^bits-1, or -2^(bits-1) to 2^(bits-1)-1.
func inRange(i *big.Int, bits int, signed bool) bool {
	if !signed {
		return i.Sign() >= 0 && i.BitLen() <= bits
	}
	if i.Sign() < 0 {
		i = new(big.Int).Not(i) // -i-1
	}
	return i.BitLen() < bits
}
