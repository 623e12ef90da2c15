package ethereum

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// agree holds decode against go-ethereum's own types: what decode takes, they
// take, and it says the same.
func agree(t *testing.T, raw []byte) (accepted bool) {
	t.Helper()
	got, err := decode(raw)
	want := new(types.Transaction)
	wantErr := want.UnmarshalBinary(raw)
	if err != nil {
		return false
	}
	if wantErr != nil {
		t.Fatalf("%x is decoded, and go-ethereum says %v", raw, wantErr)
	}
	v, r, s := want.RawSignatureValues()
	recovery := new(big.Int).Set(v)
	if got.kind == 0 {
		recovery.Sub(v, big.NewInt(35)).Sub(recovery, new(big.Int).Lsh(got.chainID, 1))
	}
	signer := types.LatestSignerForChainID(got.chainID)
	hash := signer.Hash(want)
	switch {
	case got.kind != want.Type(), got.nonce != want.Nonce(), got.gas != want.Gas(), got.tip.Cmp(want.GasTipCap()) != 0,
		got.cap.Cmp(want.GasFeeCap()) != 0, got.value.Cmp(want.Value()) != 0, !bytes.Equal(got.data, want.Data()),
		got.chainID.Cmp(want.ChainId()) != 0, (len(got.to) == 0) != (want.To() == nil), want.To() != nil && !bytes.Equal(got.to, want.To()[:]),
		got.r.Cmp(r) != 0, got.s.Cmp(s) != 0, int64(got.recovery) != recovery.Int64(), len(want.AccessList()) > 0,
		!bytes.Equal(got.digest, hash[:]), got.cost().Cmp(want.Cost()) != 0:
		t.Fatalf("%x is decoded as %+v, and by go-ethereum as %+v", raw, got, want)
	}
	from, err := got.sender()
	wantFrom, wantErr := types.Sender(signer, want)
	if (err == nil) != (wantErr == nil) || from != wantFrom {
		t.Fatalf("%x was signed by %s (%v), and go-ethereum says %s (%v)", raw, from, err, wantFrom, wantErr)
	}
	return true
}

// randomTx signs a transaction with go-ethereum's own types.
func randomTx(t testing.TB, rng *rand.Rand) []byte {
	t.Helper()
	integer := func(bits int) *big.Int {
		b := make([]byte, rng.IntN(bits/8+1))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return new(big.Int).SetBytes(b)
	}
	var to *common.Address
	if rng.IntN(4) > 0 {
		a := common.BigToAddress(integer(160))
		to = &a
	}
	chainID := new(big.Int).Add(integer(64), big.NewInt(1))
	data := integer(8 * 300).Bytes()
	nonce, gas := integer(64).Uint64(), integer(64).Uint64()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte{byte(rng.IntN(9))}))
	if err != nil {
		t.Fatal(err)
	}
	var inner types.TxData = &types.LegacyTx{Nonce: nonce, GasPrice: integer(128), Gas: gas, To: to, Value: integer(256), Data: data}
	if rng.IntN(2) == 0 {
		inner = &types.DynamicFeeTx{ChainID: chainID, Nonce: nonce, GasTipCap: integer(128), GasFeeCap: integer(128), Gas: gas, To: to, Value: integer(256), Data: data}
	}
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(chainID), inner)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestDecode(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		raw := randomTx(t, rng)
		if !agree(t, raw) {
			t.Fatalf("%x is not decoded", raw)
		}
		for range 20 { // and nothing that is one byte off
			bad := bytes.Clone(raw)
			bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
			agree(t, bad)
		}
		for _, bad := range [][]byte{raw[:len(raw)-1], append(bytes.Clone(raw), 0), raw[1:]} {
			if _, err := decode(bad); err == nil {
				t.Fatalf("%x is decoded", bad)
			}
		}
	}
}

// TestDecodeAccessList: nothing that boatd signs has one (EIP-2930).
func TestDecodeAccessList(t *testing.T) {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte{1}))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		list types.AccessList
		ok   bool
	}{
		{nil, true},
		{types.AccessList{}, true},
		{types.AccessList{{}}, false},
		{types.AccessList{{Address: common.Address{1}, StorageKeys: []common.Hash{{2}}}}, false},
	} {
		tx := types.MustSignNewTx(key, types.LatestSignerForChainID(common.Big1), &types.DynamicFeeTx{ChainID: common.Big1, Gas: 21000, AccessList: test.list})
		raw, err := tx.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decode(raw); (err == nil) != test.ok {
			t.Errorf("%v: %v", test.list, err)
		}
	}
}

// TestDecodeKnown: the example of EIP-155.
func TestDecodeKnown(t *testing.T) {
	raw, err := hex.DecodeString("f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83")
	if err != nil {
		t.Fatal(err)
	}
	if !agree(t, raw) {
		t.Fatal("not decoded")
	}
	tx, _ := decode(raw)
	from, err := tx.sender()
	if err != nil || from != common.HexToAddress("0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F") || tx.chainID.Int64() != 1 || tx.nonce != 9 {
		t.Errorf("%+v from %s: %v", tx, from, err)
	}
}

func FuzzDecode(f *testing.F) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 8 {
		f.Add(randomTx(f, rng))
	}
	f.Add([]byte{2, 0xc0})
	f.Add([]byte{0xf8, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) { agree(t, raw) })
}
