package abi

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
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
	e := event(t, "Transfer(address indexed from,address indexed to,uint256)")
	topics := []common.Hash{e.Topic(), hash(alice[2:]), hash(bob[2:])}
	values, err := e.Decode(topics, data("7"))
	if err != nil || !slices.Equal(texts(values), []string{alice, bob, "7"}) {
		t.Errorf("%q, %v", texts(values), err)
	}
	for _, c := range []struct {
		topics []common.Hash
		data   []byte
	}{
		{nil, data("7")},
		{topics[:2], data("7")},                // another form of the event
		{append(topics[:3:3], hash("7")), nil}, // ERC-721
		{append(topics[:3:3], hash("7")), data("7")},
		{[]common.Hash{hash("1"), topics[1], topics[2]}, data("7")}, // another event
		{[]common.Hash{topics[0], hash("1" + alice[2:]), topics[2]}, data("7")},
		{topics, nil},
	} {
		if values, err := e.Decode(c.topics, c.data); !errors.Is(err, ErrData) {
			t.Errorf("%v %x is %q, %v", c.topics, c.data, texts(values), err)
		}
	}
}

// TestUnmarked: without the word indexed nothing is guessed.
func TestUnmarked(t *testing.T) {
	e := event(t, "Transfer(address,address,uint256)")
	if _, err := e.Decode([]common.Hash{e.Topic(), hash(alice[2:]), hash(bob[2:])}, data("7")); !errors.Is(err, ErrData) {
		t.Error(err)
	}
	values, err := e.Decode([]common.Hash{e.Topic()}, data(alice[2:], bob[2:], "7"))
	if err != nil || !slices.Equal(texts(values), []string{alice, bob, "7"}) {
		t.Errorf("%q, %v", texts(values), err)
	}
	who := alice
	var wrong *ArgumentError
	if _, err := e.Filter([]*string{&who}, nil); !errors.As(err, &wrong) || wrong.Index != 0 {
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
	f, err := e.Filter([]*string{nil, &to}, nil)
	if err != nil {
		t.Fatal(err)
	}
	topic, from := e.Topic(), hash(alice[2:])
	want := `["` + topic.Hex() + `",null,"` + hash(bob[2:]).Hex() + `"]`
	if b, err := json.Marshal(f); err != nil || !strings.EqualFold(string(b), want) {
		t.Errorf("%s, %v", b, err)
	}
	for _, c := range []struct {
		topics []common.Hash
		want   bool
	}{
		{[]common.Hash{topic, from, hash(bob[2:])}, true},
		{[]common.Hash{topic, from, hash(bob[2:]), hash("1")}, true},
		{[]common.Hash{topic, hash(bob[2:]), from}, false},
		{[]common.Hash{from, from, hash(bob[2:])}, false},
		{[]common.Hash{topic, from}, false},
		{nil, false},
	} {
		if f.Match(c.topics) != c.want {
			t.Errorf("%v: %v", c.topics, !c.want)
		}
	}
	if all, err := e.Filter(nil, nil); err != nil || len(all) != 1 || !all.Match([]common.Hash{topic}) {
		t.Errorf("%v, %v", all, err)
	}
	var wrong *ArgumentError
	if _, err := e.Filter([]*string{nil, &broken}, nil); !errors.As(err, &wrong) || wrong.Index != 1 || !errors.Is(err, chains.ErrAddress) {
		t.Error(err)
	}
	if _, err := e.Filter([]*string{nil, nil, nil}, nil); !errors.As(err, &wrong) || wrong.Index != 2 {
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
		f, err := e.Filter([]*string{&c.value}, nil)
		if err != nil || *f[1] != c.want {
			t.Errorf("%s %s: %v, %v, want %s", c.typ, c.value, f, err, c.want)
			continue
		}
		values, err := e.Decode([]common.Hash{e.Topic(), c.want}, data("5", "40", "0"))
		if err != nil || len(values) != 3 || values[0].Text() != "5" || values[2].Text() != "" {
			t.Errorf("%s: %v, %v", c.typ, values, err)
			continue
		}
		if hashed := values[1].Type.String() == "bytes32"; hashed != e.Inputs[1].Type.hashed() {
			t.Errorf("%s: the value has the type %s", c.typ, values[1].Type)
		} else if hashed && values[1].Text() != strings.ToLower(c.want.Hex()) || !hashed && values[1].Text() != c.value {
			t.Errorf("%s: %s", c.typ, values[1].Text())
		}
	}
}
