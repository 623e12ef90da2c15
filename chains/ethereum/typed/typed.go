// Package typed says what is signed when an Ethereum account signs something
// that is no transaction: a message (EIP-191) or typed data (EIP-712). It also
// brings such signatures into the form that contracts and other wallets know,
// and verifies them.
//
// Typed data can move money: a permit (EIP-2612) or a transfer with
// authorization (EIP-3009) is as good as a transaction. So [Parse] takes one
// reading of a text or none, and returns everything that was hashed, in a form
// that a policy can judge.
package typed

import (
	"slices"

	"github.com/ethereum/go-ethereum/crypto"
)

// Data is typed data that has been read and hashed.
type Data struct {
	Domain Domain
	// Type is the type of the message as it was hashed, with all types that it
	// refers to: "Permit(address owner,...)" (encodeType of EIP-712).
	Type    string
	Primary string  // name of the type of the message
	Fields  []Field // of the message, in the order of its types
	Digest  []byte  // what is signed, 32 bytes
}

// A Domain says whom a signature is meant for. Texts are in the forms of
// [Field.Value]; "" for what the domain does not have.
type Domain struct {
	Name, Version, ChainID, VerifyingContract, Salt string
	// Separator is the hash of the domain, 32 bytes. It tells also whether a
	// text is empty or not there: two domains are the same if theirs are.
	Separator []byte
}

// A Field is a value that was hashed.
type Field struct {
	Path string // "from.wallet", "orders[0].amount"
	Type string // as declared: "uint256", "Person[]"
	// Value is the one form of the value: a decimal integer, true or false, an
	// address with its checksum, 0x and lower-case hex for bytes, a string as it
	// is, any character included. For an array it is the number of elements,
	// which follow as fields of their own.
	Value string
}

// domainMembers are the fields that a domain may have (EIP-712, "Definition of
// domainSeparator").
var domainMembers = []member{
	{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"}, {"salt", "bytes32"},
}

// Parse reads typed data: a JSON object of types, primaryType, domain and
// message (EIP-712, "Specification of the eth_signTypedData JSON RPC"), of at
// most [MaxSize] bytes. Every declared field must be there, none else, none
// twice, none null. Integers are JSON numbers, decimal strings or 0x strings,
// all exact; there is no conversion between types. A domain has at least one of
// the five fields of the EIP, in any order, and no other. ErrData for anything
// else, and in it chains.ErrAddress for what should be an address and is none,
// chains.ErrChecksum for one with a wrong checksum.
func Parse(raw []byte) (*Data, error) {
	v, err := readJSON(raw)
	if err != nil {
		return nil, err
	}
	top, err := fields("typed data", v, "types", "primaryType", "domain", "message")
	if err != nil {
		return nil, err
	}
	types, err := readTypes(top["types"])
	if err != nil {
		return nil, err
	}
	d := &Data{}
	if d.Domain, err = readDomain(types, top["domain"]); err != nil {
		return nil, err
	}
	if err := d.read(types, top["primaryType"], top["message"]); err != nil {
		return nil, err
	}
	return d, nil
}

func readDomain(types *structs, v any) (d Domain, err error) {
	members := types.members[domainType]
	if members == nil {
		return d, refuse(domainType, "the type is not declared")
	}
	for _, m := range members {
		if !slices.Contains(domainMembers, m) {
			return d, refuse(domainType, "no domain has a field %s %s", m.typ, m.name)
		}
	}
	e := &encoder{structs: types}
	if d.Separator, err = e.hashStruct("", domainType, v); err != nil {
		return d, err
	}
	for _, f := range e.fields {
		switch f.Path {
		case "name":
			d.Name = f.Value
		case "version":
			d.Version = f.Value
		case "chainId":
			d.ChainID = f.Value
		case "verifyingContract":
			d.VerifyingContract = f.Value
		case "salt":
			d.Salt = f.Value
		}
	}
	return d, nil
}

// read hashes the message and with it the whole. The type of the domain has no
// other use: a message of it would be read by some wallets as no message.
func (d *Data) read(types *structs, primary, message any) error {
	d.Primary, _ = primary.(string)
	if types.members[d.Primary] == nil || d.Primary == domainType {
		return refuse("primaryType", "%.80q is not a type of a message", d.Primary)
	}
	e := &encoder{structs: types}
	hash, err := e.hashStruct("", d.Primary, message)
	if err != nil {
		return err
	}
	d.Type, d.Fields = types.encodeType(d.Primary), e.fields
	d.Digest = crypto.Keccak256([]byte{0x19, 0x01}, d.Domain.Separator, hash)
	return nil
}
