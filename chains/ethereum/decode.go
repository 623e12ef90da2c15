package ethereum

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

// A transaction is what signed bytes say. It is read here without anything that
// had a part in making them; tests hold the reading against go-ethereum's own
// types.
type transaction struct {
	kind     uint8
	chainID  *big.Int
	nonce    uint64
	gas      uint64
	tip, cap *big.Int // equal for type 0
	to       []byte   // 20 bytes, none for a deployment
	value    *big.Int
	data     []byte
	recovery byte // 0 or 1
	r, s     *big.Int
	digest   []byte // what was signed
}

var errTransaction = errors.New("not a signed transaction of type 0 or 2")

// decode reads a transaction: a list of 9 fields, or the byte 2 and a list of 12
// (EIP-155, EIP-1559). Integers are minimal, nothing is missing and nothing left
// over. The access list is empty: boatd signs no other.
func decode(raw []byte) (*transaction, error) {
	t := &transaction{}
	if len(raw) > 0 && raw[0] == 2 {
		t.kind, raw = 2, raw[1:]
	}
	fields, rest, err := rlp.SplitList(raw)
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: %v", errTransaction, err)
	}
	r := &fieldReader{rest: fields}
	if t.kind == 2 {
		t.chainID = r.integer()
		t.nonce = r.number()
		t.tip, t.cap = r.integer(), r.integer()
	} else {
		t.nonce = r.number()
		t.cap = r.integer()
		t.tip = t.cap
	}
	t.gas, t.to, t.value, t.data = r.number(), r.text(), r.integer(), r.text()
	if t.kind == 2 {
		r.nothing()
	}
	signed := fields[:len(fields)-len(r.rest)]
	v := r.integer()
	t.r, t.s = r.integer(), r.integer()
	if r.err != nil || len(r.rest) > 0 || (len(t.to) != 0 && len(t.to) != common.AddressLength) {
		return nil, fmt.Errorf("%w: %v", errTransaction, r.err)
	}
	return t, t.read(v, signed)
}

// read takes v apart, and computes what was signed: signed is the bytes of the
// fields in front of v.
func (t *transaction) read(v *big.Int, signed []byte) error {
	content, prefix := signed, []byte{2}
	if t.kind == 0 {
		// v = 35 + 2 × chain id + recovery id (EIP-155)
		prefix = nil
		t.chainID = new(big.Int).Sub(v, big.NewInt(35))
		if t.chainID.Sign() < 0 {
			return fmt.Errorf("%w: it is valid on every chain", errTransaction)
		}
		v = new(big.Int).And(t.chainID, big.NewInt(1))
		t.chainID.Rsh(t.chainID, 1)
		content = append(append(append([]byte(nil), signed...), encodeInt(t.chainID)...), 0x80, 0x80)
	}
	if t.chainID.Sign() == 0 {
		return fmt.Errorf("%w: chain id 0", errTransaction)
	}
	if !v.IsUint64() || v.Uint64() > 1 || !crypto.ValidateSignatureValues(byte(v.Uint64()), t.r, t.s, true) {
		return fmt.Errorf("%w: the signature is out of range", errTransaction)
	}
	t.recovery = byte(v.Uint64())
	t.digest = crypto.Keccak256(prefix, listHeader(len(content)), content)
	return nil
}

// listHeader returns the RLP header of a list with n bytes of content.
func listHeader(n int) []byte {
	if n < 56 {
		return []byte{0xc0 + byte(n)}
	}
	size := big.NewInt(int64(n)).Bytes()
	return append([]byte{0xf7 + byte(len(size))}, size...)
}

// sender recovers who signed.
func (t *transaction) sender() (common.Address, error) {
	sig := make([]byte, crypto.SignatureLength)
	t.r.FillBytes(sig[:32])
	t.s.FillBytes(sig[32:64])
	sig[64] = t.recovery
	pub, err := crypto.Ecrecover(t.digest, sig)
	if err != nil {
		return common.Address{}, fmt.Errorf("recovering the signer: %w", err)
	}
	return common.BytesToAddress(crypto.Keccak256(pub[1:])[12:]), nil
}

// cost is the most native coin that the transaction itself can spend.
func (t *transaction) cost() *big.Int {
	cost := new(big.Int).SetUint64(t.gas)
	return cost.Mul(cost, t.cap).Add(cost, t.value)
}

// A fieldReader reads the fields of a list; after the first error it reads
// nothing more.
type fieldReader struct {
	rest []byte
	err  error
}

func (r *fieldReader) text() (b []byte) {
	if r.err == nil {
		b, r.rest, r.err = rlp.SplitString(r.rest)
	}
	return b
}

// nothing reads an empty list.
func (r *fieldReader) nothing() {
	if r.err != nil {
		return
	}
	var content []byte
	content, r.rest, r.err = rlp.SplitList(r.rest)
	if r.err == nil && len(content) > 0 {
		r.err = errors.New("the access list is not empty")
	}
}

func (r *fieldReader) number() (n uint64) {
	if r.err == nil {
		n, r.rest, r.err = rlp.SplitUint64(r.rest)
	}
	return n
}

func (r *fieldReader) integer() *big.Int {
	b := r.text()
	if r.err == nil && (len(b) > 32 || (len(b) > 0 && b[0] == 0)) {
		r.err = rlp.ErrCanonInt
	}
	return new(big.Int).SetBytes(b)
}
