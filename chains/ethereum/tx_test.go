package ethereum

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"errors"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"

	"github.com/boatd/boatd/chains"
)

// offline opens a network that is never asked for anything.
func offline(t testing.TB, options chains.Options) *network {
	t.Helper()
	o := chains.Options{"endpoints": "https://a.example", "max_fee_per_gas": "1000gwei", "max_tip": "1000gwei", "max_total_fee": "1000ether", "max_gas": "30000000"}
	for k, v := range options {
		o[k] = v
	}
	n, err := open(chains.Config{Name: "test", Options: o}, chains.Deps{Rand: bytes.NewReader(nil), Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testKey(n byte) *ecdsa.PrivateKey {
	key, err := crypto.ToECDSA(bytes.Repeat([]byte{n}, 32))
	if err != nil {
		panic(err) // a constant of the tests
	}
	return key
}

// assemble signs a payment and has the network put it together.
func assemble(t testing.TB, n *network, p *payment, kind chains.Kind, key *ecdsa.PrivateKey) *chains.Signed {
	t.Helper()
	job, draft := jobFor(p, kind, key)
	sig, err := crypto.Sign(draft.Digest, key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := n.Assemble(job, draft, sig)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func jobFor(p *payment, kind chains.Kind, key *ecdsa.PrivateKey) (*chains.Job, *chains.Draft) {
	job := &chains.Job{
		Intent:  chains.Intent{Kind: kind, Value: p.value, Data: p.data},
		Account: chains.Account{Address: crypto.PubkeyToAddress(key.PublicKey).Hex()},
		Chain:   chains.Identity{ChainID: p.chainID.String()}, Nonce: p.nonce,
	}
	if p.to != nil {
		job.Intent.To = common.BytesToAddress(p.to).Hex()
	}
	return job, p.draft(new(big.Int), chains.Head{})
}

// The example of EIP-155.
func TestKnownAnswer(t *testing.T) {
	p := &payment{
		bid:     bid{kind: 0, cap: big.NewInt(20e9), tip: big.NewInt(20e9)},
		chainID: big.NewInt(1), nonce: 9, gas: 21000, to: bytes.Repeat([]byte{0x35}, 20), value: big.NewInt(1e18),
	}
	if got := hex.EncodeToString(crypto.Keccak256(p.unsigned())); got != "daf5a779ae972f972197303d7b574746c7ef83eadac0f2791ad23db92e4c8e53" {
		t.Errorf("digest %s", got)
	}
	s := assemble(t, offline(t, nil), p, chains.Transfer, testKey(0x46))
	want := "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
	if got := hex.EncodeToString(s.Raw); got != want {
		t.Errorf("bytes %s", got)
	}
}

// go-ethereum makes the same bytes of the same fields, whatever they are.
func TestSameBytes(t *testing.T) {
	n := offline(t, chains.Options{"max_fee_per_gas": "115792089237316195423570985008687907853269984665640564039457584007913129639935wei",
		"max_tip": "1000000000ether", "max_total_fee": "115792089237316195423570985008687907853269984665640564039457584007913129639935wei"})
	r := rand.New(rand.NewPCG(1, 2))
	number := func(bits int) *big.Int {
		b := make([]byte, (bits+7)/8)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		return new(big.Int).Rsh(new(big.Int).SetBytes(b), uint(len(b)*8-r.IntN(bits+1)))
	}
	leadingR, leadingS := 0, 0
	for i := range 600 {
		key := testKey(byte(i%200 + 1))
		p := &payment{chainID: new(big.Int).Add(number(200), big.NewInt(1)), nonce: r.Uint64() >> r.IntN(64), gas: uint64(r.IntN(1 << 24)), value: number(256)}
		p.tip = number(80)
		p.cap = new(big.Int).Add(p.tip, number(80))
		p.kind = uint8(i%2) * 2
		kind := chains.Deploy
		if i%3 > 0 {
			kind, p.to = chains.Call, number(160).FillBytes(make([]byte, 20))
		}
		if i%5 > 0 {
			p.data = number(8 * r.IntN(200)).Bytes()
		}
		if p.kind == 0 {
			p.tip = p.cap
		}
		s := assemble(t, n, p, kind, key)
		tx := reference(t, p, key)
		want, err := tx.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(s.Raw, want) || s.Hash != hex.EncodeToString(tx.Hash().Bytes()) {
			t.Fatalf("%+v:\n got %x\nwant %x", p, s.Raw, want)
		}
		_, rr, ss := tx.RawSignatureValues()
		if rr.BitLen() <= 248 {
			leadingR++
		}
		if ss.BitLen() <= 248 {
			leadingS++
		}
	}
	if leadingR == 0 || leadingS == 0 {
		t.Errorf("no r (%d) or no s (%d) with a leading zero byte was seen", leadingR, leadingS)
	}
}

// reference is the same transaction by go-ethereum alone.
func reference(t testing.TB, p *payment, key *ecdsa.PrivateKey) *types.Transaction {
	t.Helper()
	var to *common.Address
	if p.to != nil {
		to = (*common.Address)(p.to)
	}
	var data types.TxData = &types.LegacyTx{Nonce: p.nonce, GasPrice: p.cap, Gas: p.gas, To: to, Value: p.value, Data: p.data}
	if p.kind == 2 {
		data = &types.DynamicFeeTx{ChainID: p.chainID, Nonce: p.nonce, GasTipCap: p.tip, GasFeeCap: p.cap, Gas: p.gas, To: to, Value: p.value, Data: p.data}
	}
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(p.chainID), data)
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func examplePayment() *payment {
	return &payment{
		bid:     bid{kind: 2, cap: big.NewInt(100e9), tip: big.NewInt(1e9)},
		chainID: big.NewInt(11155111), nonce: 3, gas: 100000, to: bytes.Repeat([]byte{0x11}, 20), value: big.NewInt(5), data: []byte{1, 2, 3},
	}
}

// What is over a ceiling, or over what the host asked for, does not leave,
// even if everything else agrees with it.
func TestAssembleCeilings(t *testing.T) {
	type change func(*payment, *chains.Job, *chains.Draft)
	fee, tip := big.NewInt(50e9), big.NewInt(5e8)
	zero := uint8(0)
	for name, c := range map[string]struct {
		options chains.Options
		change  change
	}{
		"fee ceiling": {options: chains.Options{"max_fee_per_gas": "99gwei"}},
		"tip ceiling": {options: chains.Options{"max_tip": "999999999"}},
		"gas ceiling": {options: chains.Options{"max_gas": "99999"}},
		"asked fee":   {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Intent.MaxFee = fee }},
		"asked tip":   {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Intent.Tip = tip }},
		"asked gas":   {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Intent.Gas = 99999 }},
		"asked type":  {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Intent.Type = &zero }},
		"nonce ahead": {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Nonce-- }},
		"interim":     {change: func(_ *payment, _ *chains.Job, d *chains.Draft) { d.Interim = true }},
		"no cost":     {change: func(_ *payment, _ *chains.Job, d *chains.Draft) { d.Cost = nil }},
		"no cap":      {change: func(_ *payment, _ *chains.Job, d *chains.Draft) { d.FeeCap = nil }},
		"chain id 0":  {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Chain.ChainID = "0" }},
		"chain id":    {change: func(_ *payment, j *chains.Job, _ *chains.Draft) { j.Chain.ChainID = "x" }},
	} {
		n := offline(t, c.options)
		p := examplePayment()
		job, draft := jobFor(p, chains.Call, testKey(7))
		sig, _ := crypto.Sign(draft.Digest, testKey(7))
		if c.change != nil {
			c.change(p, job, draft)
		}
		if _, err := n.Assemble(job, draft, sig); !errors.Is(err, chains.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// With Adopt a higher nonce than the journal's is what was wanted.
	n := offline(t, nil)
	job, draft := jobFor(examplePayment(), chains.Call, testKey(7))
	job.Nonce, job.Adopt = 1, true
	sig, _ := crypto.Sign(draft.Digest, testKey(7))
	if _, err := n.Assemble(job, draft, sig); err != nil {
		t.Errorf("adopted nonce: %v", err)
	}
	job.Nonce = 4
	if _, err := n.Assemble(job, draft, sig); !errors.Is(err, chains.ErrMismatch) {
		t.Errorf("a nonce below the journal's: %v", err)
	}
}

// A body of another type, or with more in it, is not what was wanted, even if
// it is signed.
func TestAssembleOtherForms(t *testing.T) {
	n := offline(t, nil)
	key := testKey(7)
	p := examplePayment()
	to := common.BytesToAddress(p.to)
	encode := func(prefix byte, fields ...any) []byte {
		b, err := rlp.EncodeToBytes(fields)
		if err != nil {
			t.Fatal(err)
		}
		return append([]byte{prefix}, b...)
	}
	list := types.AccessList{{Address: to}}
	for name, c := range map[string]struct {
		body []byte
		ok   bool
	}{
		"as it should be":   {encode(2, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, types.AccessList{}), true},
		"an access list":    {encode(2, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, list), false},
		"type 1":            {encode(1, p.chainID, p.nonce, p.cap, p.gas, to, p.value, p.data, types.AccessList{}), false},
		"type 3":            {encode(3, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, types.AccessList{}, p.cap, []common.Hash{{}}), false},
		"type 4":            {encode(4, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, types.AccessList{}, []any{}), false},
		"a field too many":  {encode(2, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, types.AccessList{}, p.cap), false},
		"a field too few":   {encode(2, p.chainID, p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data), false},
		"Homestead":         {encode(0, p.nonce, p.cap, p.gas, to, p.value, p.data)[1:], false},
		"another chain id":  {encode(0, p.nonce, p.cap, p.gas, to, p.value, p.data, uint(5), uint(0), uint(0))[1:], false},
		"another id inside": {encode(2, uint(5), p.nonce, p.tip, p.cap, p.gas, to, p.value, p.data, types.AccessList{}), false},
	} {
		job, draft := jobFor(p, chains.Call, key)
		draft.Body, draft.Digest = c.body, crypto.Keccak256(c.body)
		sig, _ := crypto.Sign(draft.Digest, key)
		if _, err := n.Assemble(job, draft, sig); (err == nil) != c.ok || err != nil && !errors.Is(err, chains.ErrMismatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRaised(t *testing.T) {
	for _, c := range []struct{ v, percent, want int64 }{{0, 12, 1}, {1, 10, 2}, {7, 12, 8}, {19, 12, 22}, {100, 12, 112}, {100, 10, 110}, {101, 10, 112}} {
		if got := raised(big.NewInt(c.v), c.percent); got.Int64() != c.want {
			t.Errorf("%d and %d percent: %v, want %d", c.v, c.percent, got, c.want)
		}
	}
}

func FuzzAssemble(f *testing.F) {
	n := offline(f, nil)
	key := testKey(7)
	p := examplePayment()
	f.Add(p.unsigned())
	p.kind = 0
	f.Add(p.unsigned())
	f.Add([]byte{2})
	f.Add([]byte{0xc0})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, body []byte) {
		p := examplePayment()
		job, draft := jobFor(p, chains.Call, key)
		draft.Body, draft.Digest = body, crypto.Keccak256(body)
		sig, err := crypto.Sign(draft.Digest, key)
		if err != nil {
			t.Fatal(err)
		}
		s, err := n.Assemble(job, draft, sig)
		if err != nil {
			return
		}
		tx := new(types.Transaction)
		if err := tx.UnmarshalBinary(s.Raw); err != nil || tx.Nonce() != 3 || tx.Value().Int64() != 5 || *tx.To() != common.BytesToAddress(p.to) {
			t.Errorf("%x was released for %x", s.Raw, body)
		}
	})
}

// BenchmarkRelease encodes, signs, checks before release and marshals, and
// beside it makes a bare signature and recovers its signer, in turns, so that
// other load falls on both. The ratio of the best rounds is what our part
// costs; it must stay below 1.10.
func BenchmarkRelease(b *testing.B) {
	n := offline(b, nil)
	key := testKey(7)
	p := examplePayment()
	job, _ := jobFor(p, chains.Call, key)
	digest := crypto.Keccak256([]byte("x"))
	best := func(old time.Duration, f func()) time.Duration {
		start := time.Now()
		for range 10 {
			f()
		}
		if took := time.Since(start); old == 0 || took < old {
			return took
		}
		return old
	}
	var whole, bare time.Duration
	for b.Loop() {
		whole = best(whole, func() {
			draft := p.draft(new(big.Int), chains.Head{})
			sig, err := crypto.Sign(draft.Digest, key)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := n.Assemble(job, draft, sig); err != nil {
				b.Fatal(err)
			}
		})
		bare = best(bare, func() {
			sig, err := crypto.Sign(digest, key)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := crypto.Ecrecover(digest, sig); err != nil {
				b.Fatal(err)
			}
		})
	}
	b.ReportMetric(float64(whole)/float64(bare), "ratio")
	b.ReportMetric(float64(bare.Nanoseconds())/10, "bare-ns")
}
