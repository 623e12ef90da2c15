package chaintest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math/big"

	"github.com/boatd/boatd/chains"
)

// Options say what kind of chain in memory to make. The zero value is one with
// real signatures.
type Options struct {
	Cheap bool // signatures are CheapSignature
}

// RandomNonce is a chain whose nodes never look at a nonce. Two signatures for
// one intent are two transactions, and both take effect.
type RandomNonce struct {
	*ledger
	o Options
}

// NewRandomNonce returns a chain with random nonces, on secp256k1.
func NewRandomNonce(o Options) *RandomNonce { return &RandomNonce{newLedger(), o} }

const (
	randomGas   = 21000
	randomPrice = 1
)

// Protocol returns the protocol whose networks are this chain.
func (c *RandomNonce) Protocol() chains.Protocol {
	return chains.Protocol{
		Name: "randomnonce", Curves: []string{"secp256k1"}, Decimals: 18, Symbol: "RND",
		Check: func(chains.Config) []chains.OptionError { return nil },
		Open: func(config chains.Config, deps chains.Deps) (chains.Network, error) {
			return &randomNetwork{&client{ledger: c.ledger, config: config, deps: deps}, c.o}, nil
		},
	}
}

// Harness returns the chain as the suite drives it.
func (c *RandomNonce) Harness() *Harness {
	transfer := func(to string) chains.Intent {
		return chains.Intent{Kind: chains.Transfer, To: to, Value: big.NewInt(7)}
	}
	return &Harness{
		Chain: c, Protocol: c.Protocol(), Config: chains.Config{Name: "rnd", Protocol: "randomnonce"},
		Signer: c.o.signer("secp256k1"), Final: 1, Tells: true,
		Good:    transfer("0x00000000000000000000000000000000000000aa"),
		Refused: transfer(Refuses), RefusedAs: chains.ErrReverts,
		Late: transfer(Late), LateAs: chains.ErrReverts,
	}
}

// A randomNetwork is a network of a RandomNonce chain. Its transactions are
// kind, chain id, nonce, gas, recipient, value, data, public key and signature.
type randomNetwork struct {
	*client
	o Options
}

func (n *randomNetwork) Address(curve string, pub []byte) (string, error) {
	return address(curve, "secp256k1", pub)
}

func (n *randomNetwork) Judge(in chains.Intent) (*big.Int, error) {
	doing := "judge the intent"
	switch {
	case in.Type != nil || in.Tip != nil:
		return nil, &chains.Error{Kind: chains.ErrOption, Doing: doing}
	case in.MaxFee != nil && in.MaxFee.Cmp(n.config.Options.Amount("max_fee_per_gas")) > 0:
		return nil, &chains.Error{Kind: chains.ErrCeiling, Doing: doing}
	case in.Gas > n.config.Options.Integer("max_gas"):
		return nil, &chains.Error{Kind: chains.ErrCeiling, Doing: doing}
	}
	return new(big.Int).Add(in.Value, big.NewInt(int64(max(in.Gas, randomGas))*randomPrice)), nil
}

func (n *randomNetwork) Prepare(ctx context.Context, job *chains.Job) (*chains.Draft, error) {
	const doing = "prepare a transaction"
	in := job.Intent
	worst, err := n.Judge(in)
	if err != nil {
		return nil, err
	}
	if err := n.reach(ctx, doing, &job.Chain); err != nil {
		return nil, err
	}
	var random [8]byte
	if _, err := io.ReadFull(n.deps.Rand, random[:]); err != nil {
		return nil, err
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	need := new(big.Int).Set(worst)
	if job.Committed != nil {
		need.Add(need, job.Committed)
	}
	switch {
	case in.To == Refuses:
		return nil, &chains.Error{Kind: chains.ErrReverts, Doing: doing, Detail: "refused"}
	case n.balance(job.Account.Address).Cmp(need) < 0:
		return nil, &chains.Error{Kind: chains.ErrFunds, Doing: doing}
	}
	d := &chains.Draft{
		Nonce: binary.BigEndian.Uint64(random[:]), Gas: max(in.Gas, randomGas), FeeCap: big.NewInt(randomPrice),
		Cost: worst, Head: n.blocks[len(n.blocks)-1],
	}
	d.Body = []byte{byte(in.Kind)}
	d.Body = field(d.Body, []byte(job.Chain.ChainID))
	d.Body = binary.BigEndian.AppendUint64(d.Body, d.Nonce)
	d.Body = binary.BigEndian.AppendUint64(d.Body, d.Gas)
	d.Body = field(d.Body, []byte(in.To))
	d.Body = field(d.Body, in.Value.Bytes())
	d.Body = field(d.Body, in.Data)
	d.Body = field(d.Body, job.Account.Public)
	sum := sha256.Sum256(d.Body)
	d.Digest = sum[:]
	return d, nil
}

// A randomTx is a transaction, decoded.
type randomTx struct {
	in      chains.Intent
	chainID string
	nonce   uint64
	gas     uint64
	pub     []byte
	digest  []byte
	sig     []byte
}

func decodeRandom(raw []byte) (*randomTx, bool) {
	r := newReader(raw)
	kind, err := r.ReadByte()
	if err != nil {
		return nil, false
	}
	t := &randomTx{in: chains.Intent{Kind: chains.Kind(kind)}}
	t.chainID = string(r.field())
	t.nonce, t.gas = r.uint64(), r.uint64()
	t.in.To = string(r.field())
	t.in.Value = new(big.Int).SetBytes(r.field())
	t.in.Data = r.field()
	t.pub = r.field()
	signed := len(raw) - r.Len()
	t.sig = r.field()
	sum := sha256.Sum256(raw[:signed])
	t.digest = sum[:]
	return t, r.whole()
}

func (n *randomNetwork) Assemble(job *chains.Job, draft *chains.Draft, sig []byte) (*chains.Signed, error) {
	raw := field(bytes.Clone(draft.Body), sig)
	t, ok := decodeRandom(raw)
	if !ok {
		return nil, mismatch("the body does not decode")
	}
	in := job.Intent
	switch {
	case !bytes.Equal(t.digest, draft.Digest):
		return nil, mismatch("digest")
	case t.in.Kind != in.Kind || t.in.To != in.To || t.in.Value.Cmp(in.Value) != 0 || !bytes.Equal(t.in.Data, in.Data):
		return nil, mismatch("another intent")
	case t.chainID != job.Chain.ChainID || t.nonce != draft.Nonce || t.gas != draft.Gas || t.gas != max(in.Gas, randomGas):
		return nil, mismatch("chain id, nonce or gas")
	case !bytes.Equal(t.pub, job.Account.Public):
		return nil, mismatch("another account")
	case draft.Purpose != chains.Original || draft.Interim:
		return nil, mismatch("there is one attempt and no step")
	}
	if from, err := n.Address(job.Account.Curve, t.pub); err != nil || from != job.Account.Address {
		return nil, mismatch("another address")
	}
	if err := verify("secp256k1", n.o.Cheap, t.pub, t.digest, sig); err != nil {
		return nil, mismatch("%v", err)
	}
	return &chains.Signed{Raw: raw, Hash: hashOf(raw)}, nil
}

func hashOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// Send takes a transaction that is known, waiting or included, as sent.
func (n *randomNetwork) Send(ctx context.Context, s chains.Signed) error {
	const doing = "send a transaction"
	if err := n.reach(ctx, doing, nil); err != nil {
		return err
	}
	t, ok := decodeRandom(s.Raw)
	if !ok || verify("secp256k1", n.o.Cheap, t.pub, t.digest, t.sig) != nil {
		return &chains.Error{Kind: chains.ErrRefused, Doing: doing, Detail: "invalid transaction"}
	}
	from, err := n.Address("secp256k1", t.pub)
	if err != nil {
		return err
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	n.take(&entry{hash: s.Hash, from: from, to: t.in.To, value: t.in.Value, fee: big.NewInt(int64(t.gas) * randomPrice)})
	return nil
}

func (n *randomNetwork) Track(ctx context.Context, since chains.Head, watches []chains.Watch) (*chains.Sight, error) {
	if err := n.reach(ctx, "look at the chain", nil); err != nil {
		return nil, err
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	s := n.look(since, watches)
	for i := range s.Evidence {
		if s.Evidence[i].Outcome == chains.Reverted {
			s.Evidence[i].Err = &chains.Error{Kind: chains.ErrReverts, Doing: "include a transaction"}
		}
	}
	return s, nil
}

// Balance makes the network a Balancer.
func (n *randomNetwork) Balance(ctx context.Context, address string) (*big.Int, error) {
	if err := n.reach(ctx, "ask for a balance", nil); err != nil {
		return nil, err
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	return new(big.Int).Set(n.balance(address)), nil
}
