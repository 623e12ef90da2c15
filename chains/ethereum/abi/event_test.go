package abi

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
)

const bob = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"

func event(t testing.TB, signature string) *Event {
	t.Helper()
	e, err := ParseEvent(signature)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func hash(word string) common.Hash { return common.BytesToHash(data(word)) }

func TestEvent(t *testing.T) {
	const transfer = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
	for _, signature := range []string{
		"Transfer(address indexed,address indexed,uint256)", "Transfer(address,address,uint256)", "Transfer(address indexed from, address indexed to, uint value)",
	} {
		e := event(t, signature)
		if e.Topic() != common.HexToHash(transfer) || e.String() != "Transfer(address,address,uint256)" {
			t.Errorf("%s: %s %s", signature, e, e.Topic())
		}
	}
}

// TestUnmarked: without the word indexed nothing is guessed.
func TestUnmarked(t *testing.T) {
	e := event(t, "Transfer(address,address,uint256)")
	who := alice
	var wrong *ArgumentError
	if _, err := e.Topics([]*string{&who}, nil); !errors.As(err, &wrong) || wrong.Index != 0 {
		t.Error(err)
	}
}

func TestEventRefused(t *testing.T) {
	for text, why := range map[string]string{
		"E": "want (", "E()()": "nothing may follow", "E(bool indexed indexed)": "indexed", "E(indexed bool)": "no type", "E((bool indexed))": "indexed", "E(bool) anonymous": "nothing may follow",
		"E(bool indexed,bool indexed,bool indexed,bool indexed)": "more than 3", "event E()": "leave out",
	} {
		if _, err := ParseEvent(text); !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestFilter(t *testing.T) {
	e := event(t, "Transfer(address indexed from,address indexed to,uint256)")
	to, broken := bob, "0x12"
	f, err := e.Topics([]*string{nil, &to}, nil)
	if err != nil || len(f) != 3 || common.BytesToHash(f[0]) != e.Topic() || f[1] != nil || common.BytesToHash(f[2]) != hash(bob[2:]) {
		t.Errorf("%x, %v", f, err)
	}
	if all, err := e.Topics(nil, nil); err != nil || len(all) != 1 {
		t.Errorf("%x, %v", all, err)
	}
	var wrong *ArgumentError
	if _, err := e.Topics([]*string{nil, &broken}, nil); !errors.As(err, &wrong) || wrong.Index != 1 || !errors.Is(err, chains.ErrAddress) {
		t.Error(err)
	}
	if _, err := e.Topics([]*string{nil, nil, nil}, nil); !errors.As(err, &wrong) || wrong.Index != 2 {
		t.Error(err)
	}
}

// TestTopics: topics of elementary types are what go-ethereum makes; of others
// what the specification says, written out.
func TestTopics(t *testing.T) {
	geth := func(v any) common.Hash {
		topics, err := abi.MakeTopics([]any{v})
		if err != nil {
			t.Fatal(err)
		}
		return topics[0][0]
	}
	for _, c := range []struct {
		typ, value string
		want       common.Hash
	}{
		{"uint8", "7", geth(uint8(7))},
		{"int16", "-2", geth(int16(-2))},
		{"int256", "-2", geth(big.NewInt(-2))},
		{"bool", "true", geth(true)},
		{"address", alice, geth(common.HexToAddress(alice))},
		{"bytes4", "0xcafebabe", geth([4]byte{0xca, 0xfe, 0xba, 0xbe})},
		{"string", "héllo", geth("héllo")},
		{"string", "", geth("")},
		{"bytes", "0x0102", geth([]byte{1, 2})},
		{"uint8[]", "[1,2]", crypto.Keccak256Hash(data("1", "2"))},
		{"uint8[]", "[]", crypto.Keccak256Hash()},
		{"uint8[2]", "[1,2]", crypto.Keccak256Hash(data("1", "2"))},
		{"(bool,address)", `[true,"` + alice + `"]`, crypto.Keccak256Hash(data("1", alice[2:]))},
		{"string[]", `["ab","c"]`, crypto.Keccak256Hash(data(ascii("ab"), ascii("c")))},
		{"(bytes,uint8[])[]", `[["0xab",[1,2]]]`, crypto.Keccak256Hash(data("ab.", "1", "2"))},
	} {
		e := event(t, "E(uint8,"+c.typ+" indexed,string)")
		f, err := e.Topics([]*string{&c.value}, nil)
		if err != nil || common.BytesToHash(f[1]) != c.want {
			t.Errorf("%s %s: %x, %v, want %s", c.typ, c.value, f, err, c.want)
		}
	}
}
