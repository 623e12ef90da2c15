package abi

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/chains"
)

// A Resolver gives the address that a host means by a text that does not start
// with 0x, as 0x and 40 hex digits: the name of a peer, for one.
type Resolver func(text string) (string, error)

// readAll reads one argument for each parameter.
func readAll(params []Param, args []string, resolve Resolver) ([]Value, error) {
	switch n := len(params); {
	case len(args) < n:
		return nil, wrong(len(args), params[len(args)], fmt.Errorf("it is missing, %d are wanted", n))
	case len(args) > n:
		return nil, &ArgumentError{Index: n, Err: fmt.Errorf("it is too many, %d are wanted", n)}
	}
	r := &reader{resolve: resolve, left: maxEncoded}
	values := make([]Value, len(args))
	for i, p := range params {
		v, err := r.argument(p.Type, args[i])
		if err != nil {
			return nil, wrong(i, p, err)
		}
		values[i] = v
	}
	return values, nil
}

func wrong(i int, p Param, err error) error {
	return &ArgumentError{Index: i, Param: strings.TrimSpace(fmt.Sprintf("%.60s %.60s", p.Type, p.Name)), Err: err}
}

// A reader makes values of text. left is how many encoded bytes may still be
// used, so that no text makes more values than can be encoded.
type reader struct {
	resolve Resolver
	left    int
}

func (r *reader) take(n int) error {
	if n > r.left {
		return fmt.Errorf("the values take more than %d bytes", maxEncoded)
	}
	r.left -= n
	return nil
}

// argument reads a value of any type.
func (r *reader) argument(t *Type, arg string) (Value, error) {
	if !t.composite() {
		return r.elementary(t, arg)
	}
	if !utf8.ValidString(arg) {
		return Value{}, errors.New("the JSON text is not UTF-8")
	}
	j := &jsonText{text: arg}
	v, err := r.json(t, j)
	if err == nil && j.peek() >= 0 {
		err = j.fail("nothing may follow the value")
	}
	return v, err
}

// elementary reads a value that is not made of others.
func (r *reader) elementary(t *Type, arg string) (Value, error) {
	if t.dynamic {
		return r.bytes(t, arg)
	}
	if err := r.take(wordSize); err != nil {
		return Value{}, err
	}
	var word []byte
	var err error
	switch t.kind {
	case boolean:
		word, err = readBool(arg)
	case address:
		word, err = r.address(arg)
	case fixedBytes, function:
		word, err = readFixed(t, arg)
	default:
		word, err = readInteger(t, arg)
	}
	return Value{Type: t, data: word}, err
}

// bytes reads bytes or a string.
func (r *reader) bytes(t *Type, arg string) (Value, error) {
	data := []byte(arg)
	if t.kind == dynamicBytes {
		var err error
		if data, err = readHex(arg); err != nil {
			return Value{}, err
		}
	} else if !utf8.ValidString(arg) {
		return Value{}, errors.New("the text is not UTF-8")
	}
	return Value{Type: t, data: data}, r.take(2*wordSize + padded(len(data)))
}

func readBool(arg string) ([]byte, error) {
	word := make([]byte, wordSize)
	switch arg {
	case "true":
		word[wordSize-1] = 1
	case "false":
	default:
		return nil, fmt.Errorf("want true or false, not %.60q", arg)
	}
	return word, nil
}

// address reads an address or what stands for one.
func (r *reader) address(arg string) ([]byte, error) {
	if r.resolve != nil && !strings.HasPrefix(arg, "0x") {
		resolved, err := r.resolve(arg)
		if err != nil {
			return nil, err
		}
		arg = resolved
	}
	b, err := readHex(arg)
	if err != nil || len(b) != common.AddressLength {
		return nil, fmt.Errorf("%w: want 0x and 40 hex digits, not %.60q", chains.ErrAddress, arg)
	}
	a := common.BytesToAddress(b)
	digits := arg[2:]
	mixed := digits != strings.ToLower(digits) && digits != strings.ToUpper(digits)
	if mixed && a.Hex() != arg {
		return nil, fmt.Errorf("%w: %q", chains.ErrChecksum, arg)
	}
	return common.LeftPadBytes(b, wordSize), nil
}

func readFixed(t *Type, arg string) ([]byte, error) {
	n, _ := t.width()
	b, err := readHex(arg)
	if err != nil {
		return nil, err
	}
	if len(b) != n {
		return nil, fmt.Errorf("want %d bytes, not %d", n, len(b))
	}
	return common.RightPadBytes(b, wordSize), nil
}

func readHex(arg string) ([]byte, error) {
	digits, ok := strings.CutPrefix(arg, "0x")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return nil, fmt.Errorf("want 0x and two hex digits a byte, not %.60q", arg)
	}
	return b, nil
}

// two256 is what a negative integer's word is more than the integer.
var two256 = new(big.Int).Lsh(big.NewInt(1), 256)

// readInteger reads a decimal or 0x hex integer. The hex digits are the
// integer's size, not its word: 0xff is no int8.
func readInteger(t *Type, arg string) ([]byte, error) {
	v, ok := parseInteger(arg)
	if !ok {
		return nil, fmt.Errorf("want a decimal or 0x hex integer, not %.60q", arg)
	}
	switch {
	case t.kind == unsigned && arg[0] == '-':
		return nil, fmt.Errorf("a %s has no sign: %.60q", t, arg)
	case t.kind == unsigned && v.BitLen() > t.size, t.kind == signed && magnitude(v).BitLen() >= t.size:
		return nil, fmt.Errorf("%.100q is out of the range of %s", arg, t)
	}
	if v.Sign() < 0 {
		v.Add(v, two256)
	}
	return v.FillBytes(make([]byte, wordSize)), nil
}

// magnitude is v, or for a negative v what two's complement counts: -v-1.
func magnitude(v *big.Int) *big.Int {
	if v.Sign() < 0 {
		return new(big.Int).Not(v)
	}
	return v
}

func parseInteger(arg string) (*big.Int, bool) {
	digits, negative := strings.CutPrefix(arg, "-")
	base, set := 10, "0123456789"
	if h, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base, set = h, 16, "0123456789abcdefABCDEF"
	}
	// The length bounds the work: a conversion takes the square of it.
	if digits == "" || len(digits) > 100 || strings.Trim(digits, set) != "" {
		return nil, false
	}
	v, ok := new(big.Int).SetString(digits, base)
	if ok && negative {
		v.Neg(v)
	}
	return v, ok
}
