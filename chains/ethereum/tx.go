package ethereum

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// A payment is what a transaction says, before it is signed.
type payment struct {
	bid
	chainID *big.Int
	nonce   uint64
	gas     uint64
	to      []byte // 20 bytes, none for a deployment
	value   *big.Int
	data    []byte
}

// unsigned returns the bytes whose Keccak-256 is signed: for type 0 the list
// of EIP-155 (nonce, price, gas, to, value, data, chain id, 0, 0), for type 2
// that of EIP-1559 after its type byte (chain id, nonce, tip, cap, gas, to,
// value, data, access list).
func (p *payment) unsigned() []byte {
	w := rlp.NewEncoderBuffer(nil)
	list := w.List()
	if p.kind == 0 {
		w.WriteUint64(p.nonce)
		w.WriteBigInt(p.cap)
	} else {
		w.WriteBigInt(p.chainID)
		w.WriteUint64(p.nonce)
		w.WriteBigInt(p.tip)
		w.WriteBigInt(p.cap)
	}
	w.WriteUint64(p.gas)
	w.WriteBytes(p.to)
	w.WriteBigInt(p.value)
	w.WriteBytes(p.data)
	if p.kind == 0 {
		w.WriteBigInt(p.chainID)
		w.WriteUint64(0)
		w.WriteUint64(0)
	} else {
		w.ListEnd(w.List())
	}
	w.ListEnd(list)
	if p.kind == 0 {
		return w.ToBytes()
	}
	return w.AppendToBytes([]byte{p.kind})
}

// draft makes a Draft of a payment; extra is a rollup's fee on top.
func (p *payment) draft(extra *big.Int, head chains.Head) *chains.Draft {
	body := p.unsigned()
	cost := new(big.Int).SetUint64(p.gas)
	cost.Mul(cost, p.cap).Add(cost, p.value).Add(cost, extra)
	return &chains.Draft{
		Digest: crypto.Keccak256(body), Body: body,
		Nonce: p.nonce, Gas: p.gas, FeeCap: p.cap, Cost: cost, Head: head,
	}
}

var errBody = errors.New("the body is no unsigned transaction")

// seal puts a signature r‖s‖v into the unsigned bytes: behind the fields, and
// for type 0 in the place of the chain id and two zeros.
func seal(body, sig []byte, chainID *big.Int) ([]byte, error) {
	r, s, v := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:64]), big.NewInt(int64(sig[64]))
	var prefix, tail []byte
	if len(body) > 0 && body[0] == 2 {
		prefix, body = body[:1:1], body[1:]
	} else {
		// v = 35 + 2 × chain id + recovery id (EIP-155)
		v.Add(v, big.NewInt(35)).Add(v, chainID).Add(v, chainID)
		tail = append(encodeInt(chainID), 0x80, 0x80)
	}
	fields, rest, err := rlp.SplitList(body)
	if err != nil || len(rest) > 0 || !bytes.HasSuffix(fields, tail) {
		return nil, errBody
	}
	w := rlp.NewEncoderBuffer(nil)
	list := w.List()
	w.Write(fields[:len(fields)-len(tail)])
	w.WriteBigInt(v)
	w.WriteBigInt(r)
	w.WriteBigInt(s)
	w.ListEnd(list)
	return w.AppendToBytes(prefix), nil
}

// encodeInt returns the RLP of one integer.
func encodeInt(v *big.Int) []byte {
	w := rlp.NewEncoderBuffer(nil)
	w.WriteBigInt(v)
	return w.ToBytes()
}

// Assemble joins draft and signature, decodes the result with code that had no
// part in making it, and compares it with what was wanted.
func (n *network) Assemble(job *chains.Job, draft *chains.Draft, sig []byte) (*chains.Signed, error) {
	const doing = "assemble a transaction"
	mismatch := func(format string, args ...any) (*chains.Signed, error) {
		return nil, wire.Refuse(chains.ErrMismatch, doing, format, args...)
	}
	chainID, ok := new(big.Int).SetString(job.Chain.ChainID, 10)
	if !ok || chainID.Sign() <= 0 {
		return mismatch("chain id %q", job.Chain.ChainID)
	}
	if len(sig) != crypto.SignatureLength || sig[64] > 1 {
		return mismatch("the signature is not r, s and v")
	}
	raw, err := seal(draft.Body, sig, chainID)
	if err != nil {
		return mismatch("%v", err)
	}
	tx, err := decode(raw)
	if err != nil {
		return mismatch("decode: %v", err)
	}
	if err := n.compare(tx, chainID, job, draft); err != nil {
		return mismatch("%v", err)
	}
	if !bytes.Equal(tx.digest, draft.Digest) {
		return mismatch("the decoded transaction has digest %x", tx.digest)
	}
	from, err := tx.sender()
	if err != nil || !same(from[:], job.Account.Address) {
		return mismatch("signed by %s (%v), not by %s", from.Hex(), err, job.Account.Address)
	}
	return &chains.Signed{Raw: raw, Hash: hex.EncodeToString(crypto.Keccak256(raw))}, nil
}

// compare compares a decoded transaction with what was wanted, field by field.
func (n *network) compare(tx *transaction, chainID *big.Int, job *chains.Job, draft *chains.Draft) error {
	in := job.Intent
	if draft.Purpose == chains.Cancel {
		in = chains.Intent{Kind: chains.Transfer, To: job.Account.Address, Value: new(big.Int)}
	}
	if err := compareIntent(tx, in); err != nil {
		return err
	}
	nonce := tx.nonce == draft.Nonce && tx.nonce >= job.Nonce && (job.Adopt || tx.nonce == job.Nonce)
	cost := tx.cost()
	switch {
	case tx.chainID.Cmp(chainID) != 0:
		return fmt.Errorf("chain id %d", tx.chainID)
	case !nonce:
		return fmt.Errorf("nonce %d", tx.nonce)
	case tx.gas != draft.Gas || in.Gas != 0 && tx.gas != in.Gas || tx.gas > n.opt.maxGas:
		return fmt.Errorf("gas %d", tx.gas)
	case draft.FeeCap == nil || tx.cap.Cmp(draft.FeeCap) != 0 || tx.cap.Cmp(n.opt.maxFee) > 0:
		return fmt.Errorf("fee cap %d", tx.cap)
	case tx.kind == 2 && (tx.tip.Cmp(tx.cap) > 0 || tx.tip.Cmp(n.opt.maxTip) > 0):
		return fmt.Errorf("tip %d", tx.tip)
	case draft.Cost == nil || cost.Cmp(draft.Cost) > 0 || n.opt.oracle == "" && cost.Cmp(draft.Cost) != 0:
		return fmt.Errorf("cost %d", cost)
	case draft.Purpose == chains.Original && in.MaxFee != nil && tx.cap.Cmp(in.MaxFee) > 0:
		return fmt.Errorf("fee cap %d, %d asked for", tx.cap, in.MaxFee)
	case draft.Purpose == chains.Original && in.Tip != nil && tx.tip.Cmp(in.Tip) > 0:
		return fmt.Errorf("tip %d, %d asked for", tx.tip, in.Tip)
	case draft.Interim:
		return errors.New("this protocol has no interim steps")
	}
	return nil
}

func compareIntent(tx *transaction, in chains.Intent) error {
	if in.Asset != "" {
		return compareToken(tx, in)
	}
	switch {
	case (len(tx.to) == 0) != (in.To == "") || len(tx.to) > 0 && !same(tx.to, in.To):
		return fmt.Errorf("recipient %x", tx.to)
	case tx.value.Cmp(in.Value) != 0:
		return fmt.Errorf("value %d", tx.value)
	case !bytes.Equal(tx.data, in.Data):
		return fmt.Errorf("%d bytes of other data", len(tx.data))
	case in.Type != nil && tx.kind != *in.Type:
		return fmt.Errorf("type %d", tx.kind)
	}
	return nil
}

// compareToken compares a transfer of a token, field by field of its call data.
func compareToken(tx *transaction, in chains.Intent) error {
	const selector = "\xa9\x05\x9c\xbb" // of transfer(address,uint256)
	d := tx.data
	switch {
	case !same(tx.to, in.Asset):
		return fmt.Errorf("token %x", tx.to)
	case tx.value.Sign() != 0:
		return fmt.Errorf("value %d beside a token", tx.value)
	case len(d) != 68 || string(d[:4]) != selector || len(bytes.Trim(d[4:16], "\x00")) != 0:
		return fmt.Errorf("%d bytes that are no transfer", len(d))
	case !same(d[16:36], in.To):
		return fmt.Errorf("recipient %x", d[16:36])
	case new(big.Int).SetBytes(d[36:]).Cmp(in.Value) != 0:
		return fmt.Errorf("amount %x", d[36:])
	case in.Type != nil && tx.kind != *in.Type:
		return fmt.Errorf("type %d", tx.kind)
	}
	return nil
}

// same says whether text, which has been through ParseAddress, means the 20
// bytes of a.
func same(a []byte, text string) bool {
	return len(text) == 2+2*common.AddressLength && common.IsHexAddress(text) && bytes.Equal(common.FromHex(text), a)
}

// destination returns the 20 bytes of an address, none for "".
func destination(address string) []byte {
	if address == "" {
		return nil
	}
	return common.HexToAddress(address).Bytes()
}
