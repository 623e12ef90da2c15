package ethereum

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/jsonrpc"
)

const (
	someone = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
	aToken  = "0x72665d3e94Cb4f374b7728F1ab21A3115C4D50Eb"
)

func tokenTransfer(amount *big.Int) chains.Intent {
	return chains.Intent{Kind: chains.Transfer, To: someone, Value: amount, Asset: aToken}
}

// TestEffect: the call data that every ERC-20 transfer has.
func TestEffect(t *testing.T) {
	to, value, data := effect(tokenTransfer(big.NewInt(250_000)))
	want := "a9059cbb0000000000000000000000009d8a62f656a8d1615c1294fd71e9cfb3e4855a4f000000000000000000000000000000000000000000000000000000000003d090"
	if to != aToken || value.Sign() != 0 || hex.EncodeToString(data) != want {
		t.Errorf("to %s, value %v, data %x", to, value, data)
	}
	most := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
	if _, _, data := effect(tokenTransfer(most)); !strings.HasSuffix(hex.EncodeToString(data), strings.Repeat("f", 64)) {
		t.Errorf("%x", data)
	}
	coin := chains.Intent{Kind: chains.Transfer, To: someone, Value: big.NewInt(7)}
	if to, value, data := effect(coin); to != someone || value.Int64() != 7 || data != nil {
		t.Errorf("to %s, value %v, data %x", to, value, data)
	}
}

// TestCompareToken: signed bytes that move another token, to somebody else, or
// another amount, or coin beside it, are destroyed.
func TestCompareToken(t *testing.T) {
	in := tokenTransfer(big.NewInt(5))
	to, value, data := effect(in)
	good := func() *transaction {
		return &transaction{kind: 2, to: destination(to), value: value, data: append([]byte(nil), data...)}
	}
	if err := compareIntent(good(), in); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*transaction){
		"token":     func(tx *transaction) { tx.to = destination(someone) },
		"no token":  func(tx *transaction) { tx.to = nil },
		"coin":      func(tx *transaction) { tx.value = big.NewInt(1) },
		"function":  func(tx *transaction) { tx.data[0]++ },
		"padding":   func(tx *transaction) { tx.data[4] = 1 },
		"recipient": func(tx *transaction) { tx.data[16]++ },
		"amount":    func(tx *transaction) { tx.data[67]++ },
		"longer":    func(tx *transaction) { tx.data = append(tx.data, 0) },
		"shorter":   func(tx *transaction) { tx.data = tx.data[:67] },
	} {
		tx := good()
		spoil(tx)
		if compareIntent(tx, in) == nil {
			t.Errorf("another %s goes unnoticed", name)
		}
	}
}

// TestTokenAnswer: true, with or without something behind it, and nothing are a
// success; false is none, and neither is what is no bool.
func TestTokenAnswer(t *testing.T) {
	word := func(last string) string { return `"0x` + strings.Repeat("0", 63) + last + `"` }
	for raw, ok := range map[string]bool{
		word("1"): true, `"0x"`: true, `"0x` + strings.Repeat("0", 63) + `1ff"`: true,
		word("2"): false, `"0x01"`: false, `"0x` + strings.Repeat("0", 62) + `"`: false, `"0x1` + strings.Repeat("0", 63) + `"`: false,
		word("0"): false, `"0x` + strings.Repeat("0", 128) + `"`: false, `"0xzz"`: false, `7`: false,
	} {
		if err := tokenAnswer(tokenTransfer(big.NewInt(1)), []byte(raw)); (err == nil) != ok {
			t.Errorf("%s: %v", raw, err)
		}
		if err := tokenAnswer(chains.Intent{Kind: chains.Transfer, To: someone, Value: big.NewInt(1)}, []byte(raw)); err != nil {
			t.Errorf("of a transfer of coin %s: %v", raw, err)
		}
	}
	if err := tokenAnswer(tokenTransfer(big.NewInt(1)), []byte(word("0"))); !errors.Is(err, chains.ErrReverts) {
		t.Error(err)
	}
}

// TestSymbol: a string, 32 bytes as old tokens have it, or nothing.
func TestSymbol(t *testing.T) {
	text := strings.Repeat("0", 62) + "20" + strings.Repeat("0", 63) + "3" + "555344" + strings.Repeat("0", 58)
	for raw, want := range map[string]string{
		`"0x` + text + `"`:                          "USD",
		`"0x4d4b52` + strings.Repeat("0", 58) + `"`: "MKR",
		`"0x"`: "", `"0x00"`: "", `null`: "", `"0x` + strings.Repeat("f", 128) + `"`: "",
	} {
		if got := readSymbol(&jsonrpc.Call{Result: []byte(raw)}); got != want {
			t.Errorf("%.40s: %q, want %q", raw, got, want)
		}
	}
	if got := readSymbol(&jsonrpc.Call{Err: &jsonrpc.Error{Message: "no"}}); got != "" {
		t.Errorf("%q", got)
	}
}
