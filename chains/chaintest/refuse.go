package chaintest

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/boatd/boatd/chains"
)

// testAssembleRefuses changes one thing after the other between the draft and
// the bytes that would leave. Every one must be found.
func testAssembleRefuses(t *testing.T, b *bench) {
	job := b.job(b.Good)
	first, err := b.net.Prepare(t.Context(), job)
	if err != nil {
		t.Fatalf("Prepare: %v", err)
	}
	refuseAll(t, b, job, first)
	if first.Interim {
		last, err := b.draft(job)
		if err != nil {
			t.Fatalf("Prepare: %v", err)
		}
		refuseAll(t, b, job, last)
	}
}

func refuseAll(t *testing.T, b *bench, job *chains.Job, d *chains.Draft) {
	t.Helper()
	sig := b.sign(d)
	try := func(what string, j chains.Job, d chains.Draft, sig []byte) {
		t.Helper()
		_, err := b.net.Assemble(&j, &d, sig)
		wantErr(t, what, err, chains.ErrMismatch)
	}
	for i := range sig {
		bad := bytes.Clone(sig)
		bad[i] ^= 1
		try("a signature with another bit", *job, *d, bad)
	}
	for _, bad := range [][]byte{nil, {}, sig[:len(sig)-1], append(bytes.Clone(sig), 0), make([]byte, len(sig)), bytes.Repeat([]byte{0xff}, len(sig)), highS(b.account.Curve, sig)} {
		try("a signature that is none", *job, *d, bad)
	}
	for i := range d.Body {
		bad := *d
		bad.Body = bytes.Clone(d.Body)
		bad.Body[i] ^= 1
		try("a body with another bit", *job, bad, sig)
	}
	for i := range d.Digest {
		bad := *d
		bad.Digest = bytes.Clone(d.Digest)
		bad.Digest[i] ^= 1
		try("another digest", *job, bad, sig)
		try("another digest that is signed", *job, bad, b.sign(&bad))
	}
	for _, body := range [][]byte{nil, {}, {2}, d.Body[:len(d.Body)-1], append(bytes.Clone(d.Body), 0)} {
		bad := *d
		bad.Body = body
		try("a body of another length", *job, bad, sig)
	}
	refuseOthers(t, b, job, d, sig, try)
}

// refuseOthers signs what is wanted, for somebody or something else.
func refuseOthers(t *testing.T, b *bench, job *chains.Job, d *chains.Draft, sig []byte, try func(string, chains.Job, chains.Draft, []byte)) {
	t.Helper()
	stranger, err := NewSigner(b.account.Curve, 99).Account(b.net)
	if err != nil {
		t.Fatal(err)
	}
	other := *job
	other.Account = stranger
	try("another account", other, *d, sig)
	theirs, err := NewSigner(b.account.Curve, 99).Sign(t.Context(), d.Digest)
	if err != nil {
		t.Fatal(err)
	}
	try("another signer", *job, *d, theirs)
	for _, in := range otherIntents(job.Intent) {
		other := *job
		other.Intent = in
		try("another intent", other, *d, sig)
	}
	other = *job
	other.Chain.ChainID = "99"
	try("another chain", other, *d, sig)
	bad := *d
	bad.Purpose = chains.Cancel
	try("an intent called a cancel", *job, bad, sig)
	if b.Protocol.Sequential {
		other := *job
		other.Nonce++
		try("another nonce", other, *d, sig)
		bad := *d
		bad.Nonce++
		try("another nonce in the draft", *job, bad, sig)
		bad = *d
		bad.FeeCap = new(big.Int).Add(d.FeeCap, big.NewInt(1))
		try("another fee cap", *job, bad, sig)
		bad = *d
		bad.Gas++
		try("another gas limit", *job, bad, sig)
		bad = *d
		bad.Cost = new(big.Int).Sub(d.Cost, big.NewInt(1))
		try("a cost that is more than was said", *job, bad, sig)
	}
}

// otherIntents returns intents that differ from in.
func otherIntents(in chains.Intent) []chains.Intent {
	value, to, data := in, in, in
	value.Value = new(big.Int).Add(in.Value, big.NewInt(1))
	last := in.To[len(in.To)-1]
	to.To = in.To[:len(in.To)-1] + string(last^1)
	data.Data = append(bytes.Clone(in.Data), 0)
	list := []chains.Intent{to, data}
	if in.Value.Sign() > 0 {
		list = append(list, value)
	}
	return list
}

// highS returns the other signature that fits the same digest and key.
func highS(curve string, sig []byte) []byte {
	order := map[string]string{
		"secp256k1": "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
		"secp256r1": "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
	}[curve]
	n, _ := new(big.Int).SetString(order, 16)
	bad := bytes.Clone(sig)
	s := new(big.Int).SetBytes(sig[32:64])
	s.Sub(n, s).FillBytes(bad[32:64])
	if len(bad) == 65 {
		bad[64] ^= 1
	}
	return bad
}
