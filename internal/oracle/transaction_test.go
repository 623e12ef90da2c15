//go:build e2e

package oracle

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum"
	"github.com/boatd/boatd/internal/fakenode"
)

const nodeURL = "https://a.example"

// codec is the part of a network that asks nobody.
var codec chains.Codec = open(fakenode.New(fakenode.Options{}))

// open opens boatd's own Ethereum over a chain in memory, with ceilings that
// nothing reaches.
func open(chain *fakenode.Chain) chains.Network {
	const most = "1000000000000000000ether"
	net, err := ethereum.ProtocolOver(chain.Connect).Open(chains.Config{
		Name: "test", Protocol: "ethereum",
		Options: chains.Options{"endpoints": nodeURL, "max_fee_per_gas": most, "max_tip": most, "max_total_fee": most, "max_gas": "16000000"},
	}, chains.Deps{Rand: source{&random{}}, Now: time.Now, TrustedTime: time.Now})
	if err != nil {
		panic(err) // constants of the tests
	}
	return net
}

// A parsed transaction is what the oracle reads of signed bytes.
type parsed struct {
	Type                            uint8
	ChainID                         string
	Nonce                           uint64
	Gas, Price, Cap, Tip, To, Value string
	Data, Hash, From, Unsigned      string
	List                            int
	Serialized                      string
}

// TestE2EOracleTransactions: what boatd prepares, signs and assembles is read by
// the oracle field by field, and the same fields are signed by the oracle to the
// same bytes.
func TestE2EOracleTransactions(t *testing.T) {
	cases(t, 9, 24, func(t *testing.T, r *random) {
		id := r.integer(200, false)
		id.Add(id, big.NewInt(1))
		chain := fakenode.New(fakenode.Options{ChainID: id, Start: uint64(time.Now().Unix())})
		chain.Node(nodeURL)
		chain.SetFees(gwei(r), gwei(r))
		net := open(chain)
		is, err := net.Identify(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		k := draw(t, r)
		chain.Fund(k.address, new(big.Int).Lsh(big.NewInt(1), 240))
		for range 16 {
			r.transact(t, net, r.job(is, k), k)
		}
	})
}

// gwei is a random fee.
func gwei(r *random) *big.Int {
	v := big.NewInt(1 + r.Int64N(1e6))
	return v.Mul(v, big.NewInt(1+r.Int64N(1e6)))
}

// job is an order of any kind.
func (r *random) job(is chains.Identity, k *signer) *chains.Job {
	in := chains.Intent{Kind: chains.Transfer, To: r.address(), Value: r.integer(200, false)}
	switch r.IntN(4) {
	case 0:
		in.Asset = common.HexToAddress(fakenode.Accepts).Hex()
	case 1:
		in.Kind, in.Data = chains.Call, r.bytes(r.IntN(300))
	case 2:
		in.Kind, in.To, in.Data = chains.Deploy, "", append([]byte{0x60}, r.bytes(r.IntN(300))...)
	}
	if r.chance(3) {
		in.Gas = 500_000 + r.Uint64N(1e6)
	}
	if r.chance(2) {
		kind := []uint8{0, 2}[r.IntN(2)]
		in.Type = &kind
	}
	return &chains.Job{
		Intent: in, Chain: is, Nonce: r.Uint64() >> (11 + r.IntN(53)), Ahead: true,
		Account: chains.Account{Address: k.address, Curve: "secp256k1", Public: k.key.Public},
	}
}

// transact goes the way of an order up to the bytes that would be sent, then
// replaces it, and has both read.
func (r *random) transact(t *testing.T, net chains.Network, job *chains.Job, k *signer) {
	t.Helper()
	draft, err := net.Prepare(t.Context(), job)
	if err != nil {
		t.Fatalf("%+v: %v", job.Intent, err)
	}
	signed := assemble(t, net, job, draft, k)
	prior := []chains.Attempt{{Nonce: draft.Nonce, Raw: signed.Raw, Hash: signed.Hash}}
	purpose := []chains.Purpose{chains.Bumped, chains.Cancel}[r.IntN(2)]
	if draft, err = net.(chains.Replacer).PrepareReplacement(t.Context(), job, prior, purpose, nil); err != nil {
		t.Fatalf("%+v again: %v", job.Intent, err)
	}
	assemble(t, net, job, draft, k)
}

// assemble signs a draft and compares what comes out.
func assemble(t *testing.T, net chains.Network, job *chains.Job, draft *chains.Draft, k *signer) *chains.Signed {
	t.Helper()
	s, err := net.Assemble(job, draft, k.raw(t, draft.Digest))
	if err != nil {
		t.Fatalf("%+v: %v", job.Intent, err)
	}
	var a parsed
	ask(t, question{"ask": "transaction", "raw": showHex(s.Raw)}, &a)
	price := a.Cap
	if a.Type == 0 {
		price = a.Price
	}
	want, in := effect(job, draft), job.Intent
	switch {
	case a.Type != 0 && a.Type != 2, in.Type != nil && a.Type != *in.Type, a.List != 0:
		t.Errorf("type %d, access list of %d", a.Type, a.List)
	case a.ChainID != job.Chain.ChainID, a.Nonce != job.Nonce, a.Nonce != draft.Nonce:
		t.Errorf("chain %s and nonce %d, not %s and %d", a.ChainID, a.Nonce, job.Chain.ChainID, job.Nonce)
	case a.Gas != new(big.Int).SetUint64(draft.Gas).String(), in.Gas != 0 && draft.Purpose != chains.Cancel && in.Gas != draft.Gas:
		t.Errorf("gas %s, not %d of %d", a.Gas, draft.Gas, in.Gas)
	case price != draft.FeeCap.String():
		t.Errorf("fee %s, not %s", price, draft.FeeCap)
	case a.To != want.To, a.Value != want.Value, a.Data != want.Data:
		t.Errorf("%+v is %s of %s with %s", in, a.To, a.Value, a.Data)
	case a.From != k.address, a.Unsigned != showHex(draft.Digest), a.Hash != "0x"+s.Hash, a.Serialized != showHex(s.Raw):
		t.Errorf("from %s, digest %s, hash %s; not %s %x %s", a.From, a.Unsigned, a.Hash, k.address, draft.Digest, s.Hash)
	}
	if own := a.signedByOracle(t, want, k); own != showHex(s.Raw) {
		t.Errorf("bytes\n have %x\n want %s", s.Raw, own)
	}
	return s
}

// signedByOracle returns the bytes that the oracle makes of a's fields and an
// outcome.
func (a *parsed) signedByOracle(t *testing.T, want outcome, k *signer) string {
	t.Helper()
	fields := map[string]any{"type": a.Type, "chainId": a.ChainID, "nonce": a.Nonce, "gasLimit": a.Gas, "value": want.Value, "data": want.Data}
	if want.To != "" {
		fields["to"] = want.To
	}
	if a.Type == 0 {
		fields["gasPrice"] = a.Price
	} else {
		fields["maxFeePerGas"], fields["maxPriorityFeePerGas"] = a.Cap, a.Tip
	}
	var own struct{ Raw string }
	ask(t, question{"ask": "signed", "fields": fields, "key": k.secret}, &own)
	return own.Raw
}

// An outcome is what a transaction does.
type outcome struct{ To, Value, Data string }

// effect is what bytes for a draft must do.
func effect(job *chains.Job, draft *chains.Draft) outcome {
	in := job.Intent
	switch {
	case draft.Purpose == chains.Cancel:
		return outcome{job.Account.Address, "0", "0x"}
	case in.Asset != "":
		transfer := append(common.FromHex("a9059cbb"), common.LeftPadBytes(common.FromHex(in.To), 32)...)
		return outcome{in.Asset, "0", showHex(append(transfer, in.Value.FillBytes(make([]byte, 32))...))}
	}
	return outcome{in.To, in.Value.String(), showHex(in.Data)}
}
