package chaintest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math/big"

	"github.com/boatd/boatd/chains"
)

// MultiSign is a chain of invocations instead of payments. Its way for one
// intent: a proposal is signed and journaled as a step, peers endorse it, the
// envelope of both is signed and journaled as the attempt and submitted, and
// what became of it is told to a signed question.
type MultiSign struct {
	*ledger
	o Options
}

// NewMultiSign returns a chain with several signatures, on secp256r1.
func NewMultiSign(o Options) *MultiSign { return &MultiSign{newLedger(), o} }

// Codes of the chain, as Fabric numbers them.
const (
	codeEndorsement = 500 // a chaincode's status when it refuses
	codeConflict    = 11  // MVCC_READ_CONFLICT
)

// Protocol returns the protocol whose networks are this chain.
func (c *MultiSign) Protocol() chains.Protocol {
	return chains.Protocol{
		Name: "multisign", Curves: []string{"secp256r1"},
		Check: func(chains.Config) []chains.OptionError { return nil },
		Open: func(config chains.Config, deps chains.Deps) (chains.Network, error) {
			return &multiNetwork{&client{ledger: c.ledger, config: config, deps: deps}, c.o}, nil
		},
	}
}

// Harness returns the chain as the suite drives it.
func (c *MultiSign) Harness() *Harness {
	call := func(to string) chains.Intent {
		return chains.Intent{Kind: chains.Call, To: to, Value: new(big.Int), Data: []byte("set a 1")}
	}
	return &Harness{
		Chain: c, Protocol: c.Protocol(), Config: chains.Config{Name: "multi", Protocol: "multisign"},
		Signer: c.o.signer("secp256r1"), Final: 1,
		Good:    call("0x00000000000000000000000000000000000000cc"),
		Refused: call(Refuses), RefusedAs: chains.ErrInvalidated,
		Late: call(Late), LateAs: chains.ErrInvalidated,
	}
}

// A multiNetwork is a network of a MultiSign chain. A proposal is 'P', chain
// id, nonce, creator (a public key), contract and arguments; a step is a
// proposal and its signature; an envelope is 'E', the step, the endorsement and
// the signature.
type multiNetwork struct {
	*client
	o Options
}

func (n *multiNetwork) Address(curve string, pub []byte) (string, error) {
	return address(curve, "secp256r1", pub)
}

func (n *multiNetwork) Judge(in chains.Intent) (*big.Int, error) {
	if in.Kind != chains.Call || in.Value.Sign() != 0 || in.Gas != 0 || in.MaxFee != nil || in.Tip != nil || in.Type != nil {
		return nil, &chains.Error{Kind: chains.ErrOption, Doing: "judge the intent"}
	}
	return new(big.Int), nil
}

// Prepare makes a proposal first; with the journaled step it asks for the
// endorsement and makes the envelope.
func (n *multiNetwork) Prepare(ctx context.Context, job *chains.Job) (*chains.Draft, error) {
	const doing = "prepare a transaction"
	if _, err := n.Judge(job.Intent); err != nil {
		return nil, err
	}
	if err := n.reach(ctx, doing, &job.Chain); err != nil {
		return nil, err
	}
	d := &chains.Draft{Cost: new(big.Int), FeeCap: new(big.Int)}
	if len(job.Steps) == 0 {
		nonce := make([]byte, 24)
		if _, err := io.ReadFull(n.deps.Rand, nonce); err != nil {
			return nil, err
		}
		d.Interim, d.Body = true, proposal(job, nonce)
	} else {
		step, ok := decodeStep(job.Steps[0])
		if !ok || !step.says(job) || verify("secp256r1", n.o.Cheap, step.creator, step.digest, step.sig) != nil {
			return nil, &chains.Error{Kind: chains.ErrMismatch, Doing: doing, Detail: "the step is not of this intent"}
		}
		if step.to == Refuses {
			return nil, &chains.Error{Kind: chains.ErrInvalidated, Doing: doing, Detail: "endorsement refused", Code: codeEndorsement}
		}
		d.Body = field([]byte{'E'}, job.Steps[0])
		d.Body = field(d.Body, endorse(job.Steps[0]))
	}
	sum := sha256.Sum256(d.Body)
	d.Digest = sum[:]
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	d.Head = n.blocks[len(n.blocks)-1]
	return d, nil
}

func proposal(job *chains.Job, nonce []byte) []byte {
	b := field([]byte{'P'}, []byte(job.Chain.ChainID))
	b = field(b, nonce)
	b = field(b, job.Account.Public)
	b = field(b, []byte(job.Intent.To))
	return field(b, job.Intent.Data)
}

// endorse is the peers' part: a hash that only they are supposed to know.
func endorse(step []byte) []byte {
	sum := sha256.Sum256(append([]byte("the peers' secret"), step...))
	return sum[:]
}

// A step is a signed proposal, decoded.
type step struct {
	chainID string
	nonce   []byte
	creator []byte
	to      string
	data    []byte
	digest  []byte
	sig     []byte
}

// says reports whether the proposal is the job's intent.
func (s *step) says(job *chains.Job) bool {
	return s.chainID == job.Chain.ChainID && bytes.Equal(s.creator, job.Account.Public) &&
		s.to == job.Intent.To && bytes.Equal(s.data, job.Intent.Data) && len(s.nonce) == 24
}

// txid is known before anything is sent.
func (s *step) txid() string {
	sum := sha256.Sum256(append(bytes.Clone(s.nonce), s.creator...))
	return hex.EncodeToString(sum[:])
}

func decodeStep(raw []byte) (*step, bool) {
	r := newReader(raw)
	if kind, err := r.ReadByte(); err != nil || kind != 'P' {
		return nil, false
	}
	s := &step{chainID: string(r.field()), nonce: r.field(), creator: r.field(), to: string(r.field()), data: r.field()}
	sum := sha256.Sum256(raw[:len(raw)-r.Len()])
	s.digest = sum[:]
	s.sig = r.field()
	return s, r.whole()
}

// An envelope is an attempt, decoded.
type envelope struct {
	raw         []byte // of the step
	step        *step
	endorsement []byte
	digest      []byte
	sig         []byte
}

func decodeEnvelope(raw []byte) (*envelope, bool) {
	r := newReader(raw)
	if kind, err := r.ReadByte(); err != nil || kind != 'E' {
		return nil, false
	}
	e := &envelope{raw: r.field(), endorsement: r.field()}
	sum := sha256.Sum256(raw[:len(raw)-r.Len()])
	e.digest = sum[:]
	e.sig = r.field()
	ok := false
	e.step, ok = decodeStep(e.raw)
	return e, ok && r.whole()
}

func (n *multiNetwork) Assemble(job *chains.Job, draft *chains.Draft, sig []byte) (*chains.Signed, error) {
	raw := field(bytes.Clone(draft.Body), sig)
	if from, err := n.Address(job.Account.Curve, job.Account.Public); err != nil || from != job.Account.Address {
		return nil, mismatch("another address")
	}
	if draft.Purpose != chains.Original || draft.Interim != (len(job.Steps) == 0) {
		return nil, mismatch("not the next step")
	}
	if draft.Interim {
		s, ok := decodeStep(raw)
		if !ok || !s.says(job) || !bytes.Equal(s.digest, draft.Digest) {
			return nil, mismatch("another proposal")
		}
		if err := verify("secp256r1", n.o.Cheap, job.Account.Public, s.digest, s.sig); err != nil {
			return nil, mismatch("%v", err)
		}
		return &chains.Signed{Raw: raw}, nil
	}
	e, ok := decodeEnvelope(raw)
	switch {
	case !ok || !e.step.says(job) || !bytes.Equal(e.raw, job.Steps[0]) || !bytes.Equal(e.endorsement, endorse(e.raw)):
		return nil, mismatch("another envelope")
	case !bytes.Equal(e.digest, draft.Digest):
		return nil, mismatch("digest")
	}
	if err := verify("secp256r1", n.o.Cheap, job.Account.Public, e.digest, e.sig); err != nil {
		return nil, mismatch("%v", err)
	}
	return &chains.Signed{Raw: raw, Hash: e.step.txid()}, nil
}

// Send submits an envelope. The orderer takes any number of them with one id;
// the first in a block is the one that counts.
func (n *multiNetwork) Send(ctx context.Context, s chains.Signed) error {
	const doing = "submit an envelope"
	if err := n.reach(ctx, doing, nil); err != nil {
		return err
	}
	e, ok := decodeEnvelope(s.Raw)
	if !ok || verify("secp256r1", n.o.Cheap, e.step.creator, e.digest, e.sig) != nil || !bytes.Equal(e.endorsement, endorse(e.raw)) {
		return &chains.Error{Kind: chains.ErrRefused, Doing: doing, Detail: "invalid envelope"}
	}
	from, err := n.Address("secp256r1", e.step.creator)
	if err != nil {
		return err
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	n.take(&entry{hash: e.step.txid(), from: from, to: e.step.to, value: new(big.Int), fee: new(big.Int)})
	return nil
}

// Track asks for the commit status of every attempt, with a signature each
// that is made for the question and kept nowhere. Peers do not tell what waits
// at the orderer.
func (n *multiNetwork) Track(ctx context.Context, since chains.Head, watches []chains.Watch) (*chains.Sight, error) {
	const doing = "ask for the commit status"
	if err := n.reach(ctx, doing, nil); err != nil {
		return nil, err
	}
	refused := make([]error, len(watches))
	for i, w := range watches {
		refused[i] = n.question(ctx, w)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	n.ledger.mu.Lock()
	defer n.ledger.mu.Unlock()
	s := n.look(since, watches)
	for i := range s.Evidence {
		ev := &s.Evidence[i]
		ev.FeePaid = nil
		switch {
		case refused[i] != nil:
			*ev = chains.Evidence{Err: refused[i]}
		case ev.Outcome == chains.Pending:
			ev.Known, ev.Absent = false, true
		case ev.Outcome == chains.Reverted:
			ev.Err = &chains.Error{Kind: chains.ErrInvalidated, Doing: "commit " + watches[i].Attempts[0].Hash, Code: codeConflict}
		}
	}
	return s, nil
}

// question signs the status question of a watch and has the peer check it.
func (n *multiNetwork) question(ctx context.Context, w chains.Watch) error {
	const doing = "ask for the commit status"
	if w.Account.Sign == nil {
		return &chains.Error{Kind: chains.ErrRefused, Doing: doing, Detail: "the key may not be used"}
	}
	for _, a := range w.Attempts {
		sum := sha256.Sum256([]byte("status of " + a.Hash))
		sig, err := w.Account.Sign(ctx, sum[:])
		if err == nil {
			err = verify("secp256r1", n.o.Cheap, w.Account.Public, sum[:], sig)
		}
		if err != nil {
			return &chains.Error{Kind: chains.ErrRefused, Doing: doing, Detail: err.Error()}
		}
	}
	return nil
}
