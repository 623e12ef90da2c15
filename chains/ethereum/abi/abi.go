// Package abi is Ethereum's contract ABI for signatures that are known only
// when the daemon runs: a host writes transfer(address,uint256) and its
// arguments as text, and what a contract answers becomes text again (Solidity
// documentation, "Contract ABI Specification").
//
// The way of one call through the files: parse.go reads the signature into the
// types of types.go; read.go with json.go reads the arguments into values,
// encode.go writes them; decode.go reads what comes back and text.go shows it.
// event.go and reason.go do the same for logs and for reverts.
//
// # Signatures
//
// A function is name(types) or name(types)(returned types), a constructor
// (types) or constructor(types), an event name(types) with the word indexed
// behind a type. Types are uint8 to uint256 and int8 to int256 in steps of 8,
// uint and int (256 bits), address, bool, bytes1 to bytes32, bytes, string,
// function (24 bytes), T[], T[k] and tuples (types) or tuple(types), nested to
// a depth of 16. Spaces between the parts do not matter. A parameter may have a
// name, which tuples written as JSON objects and error messages use. Everything
// else of a line of Solidity is refused by its name: the words function, event
// and returns, data locations, address payable, modifiers. So are fixed and
// ufixed, which no compiler has finished, T[0] and empty tuples, which none
// allows, and names of contracts, structs and enums, which have no fixed form.
//
// # Values as text
//
// An integer is decimal or 0x and hex digits, with - in front only for a signed
// type; a bool is true or false; an address is 0x and 40 hex digits, whose
// checksum (EIP-55) is checked when both cases are used, or whatever a
// [Resolver] knows; bytesN and function are 0x and exactly as many bytes, bytes
// is 0x and any number; a string is the text itself, in UTF-8. Arrays and
// tuples are JSON arrays of these, tuples whose components all have names also
// JSON objects. In JSON, integers may be numbers without fraction and exponent,
// taken exactly whatever their size, bools may be true and false; all else is a
// JSON string.
//
// # Strictness
//
// Of foreign data, integers, addresses, bools and bytesN must have exactly the
// padding that their type demands, and a string must be UTF-8. An offset must
// lead behind the head that it stands in; all values together may not be longer
// than the data, so none can be made of the same bytes over and over. What
// pads bytes and string is not looked at and may be missing at the end, gaps
// and left-over bytes are skipped: contracts in use leave such, no value
// depends on it. Encoded data is at most 64 KiB in both directions.
package abi

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
)

// A Param is one parameter of a function or event, or one component of a tuple.
type Param struct {
	Name    string // "" where the signature gives none
	Type    *Type
	Indexed bool // of an event: it is a topic of its own
}

// A Function is a function, a constructor or a custom error.
type Function struct {
	Name    string // "" for a constructor
	Inputs  []Param
	Outputs []Param // nil where the signature names no returns
}

// String returns the canonical signature, which has neither spaces nor names
// nor returns.
func (f *Function) String() string { return canonical(f.Name, f.Inputs) }

// Selector returns the 4 bytes that call data starts with. A constructor has
// none, and what it returns is without meaning.
func (f *Function) Selector() (s [4]byte) {
	copy(s[:], crypto.Keccak256([]byte(f.String())))
	return s
}

// Encode returns the call data for args, one text each in the form that the
// package documentation gives; for a constructor, what is appended to the init
// code. resolve may be nil. The error is an [*ArgumentError].
func (f *Function) Encode(args []string, resolve Resolver) ([]byte, error) {
	values, err := readAll(f.Inputs, args, resolve)
	if err != nil {
		return nil, err
	}
	if f.Name == "" {
		return appendFrame(nil, values), nil
	}
	selector := f.Selector()
	return appendFrame(selector[:], values), nil
}

// Arguments decodes call data, or the data of a custom error, as Encode wrote
// it. ErrData for other data, and for another function's.
func (f *Function) Arguments(data []byte) ([]Value, error) {
	if f.Name != "" {
		selector := f.Selector()
		if !bytes.HasPrefix(data, selector[:]) {
			return nil, fmt.Errorf("%w: it does not start with the selector %x of %s", ErrData, selector, f)
		}
		data = data[len(selector):]
	}
	return decode(f.Inputs, data)
}

// Returns decodes what a call returned. ErrData for data of another form, which
// is also what an account without code returns: nothing.
func (f *Function) Returns(data []byte) ([]Value, error) { return decode(f.Outputs, data) }

func canonical(name string, params []Param) string {
	var b strings.Builder
	b.WriteString(name)
	writeTuple(&b, params)
	return b.String()
}
