//go:build e2e

package oracle

import (
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/boatd/boatd/chains/ethereum/abi"
)

// read is a value that boatd shows, as the oracle has it.
func read(t *testing.T, s shape, v abi.Value) any {
	t.Helper()
	text := v.Text()
	switch {
	case s.name == "bool":
		return text == "true"
	case s.plain:
		return text
	}
	var out any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%s: boatd shows %q: %v", s.name, text, err)
	}
	return out
}

// sameValues compares what boatd has decoded with what went in.
func sameValues(t *testing.T, what string, parts []shape, got []abi.Value, want []any) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, not %d", what, len(got), len(want))
	}
	for i, v := range got {
		if v.Type.String() != parts[i].name {
			t.Errorf("%s: value %d is a %s, not a %s", what, i, v.Type, parts[i].name)
		}
		if have := read(t, parts[i], v); !reflect.DeepEqual(have, want[i]) {
			t.Errorf("%s: value %d, %s:\n have %#v\n want %#v", what, i, parts[i].name, have, want[i])
		}
	}
}

func bytesOf(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func showHex(b []byte) string { return "0x" + hex.EncodeToString(b) }

func arguments(t *testing.T, all []any) []string {
	t.Helper()
	texts := make([]string, len(all))
	for i, v := range all {
		texts[i] = written(t, v)
	}
	return texts
}

// TestE2EOracleCalls: call data of any function, and what it returns.
func TestE2EOracleCalls(t *testing.T) {
	cases(t, 1, 1500, func(t *testing.T, r *random) {
		in, out := r.shapes(0, 4, 3), r.shapes(1, 4, 3)
		args, returns := values(r, in), values(r, out)
		signature := r.name(0) + tuple(in)
		f, err := abi.ParseFunction(signature + tuple(out))
		if err != nil {
			t.Fatalf("%s: %v", signature, err)
		}
		data, err := f.Encode(arguments(t, args), nil)
		if err != nil {
			t.Fatalf("%s of %v: %v", signature, args, err)
		}
		var a struct {
			Canonical, Selector, Data, Returned string
			Args, Values                        []any
		}
		ask(t, question{"ask": "call", "signature": signature, "returns": names(out), "args": args, "data": showHex(data), "values": returns}, &a)
		selector := f.Selector()
		if f.String() != a.Canonical || showHex(selector[:]) != a.Selector {
			t.Errorf("%s is %s %x, not %s %s", signature, f, selector, a.Canonical, a.Selector)
		}
		if showHex(data) != a.Data {
			t.Errorf("%s of %v:\n have %x\n want %s", signature, args, data, a.Data)
		}
		if !reflect.DeepEqual(a.Args, args) {
			t.Errorf("%s: of boatd's bytes the oracle reads\n have %#v\n want %#v", signature, a.Args, args)
		}
		mine, err := f.Arguments(bytesOf(t, a.Data))
		if err != nil {
			t.Fatalf("%s: %v", signature, err)
		}
		sameValues(t, signature, in, mine, args)
		back, err := f.Returns(bytesOf(t, a.Returned))
		if err != nil {
			t.Fatalf("%s returned %s: %v", tuple(out), a.Returned, err)
		}
		sameValues(t, "returned "+tuple(out), out, back, returns)
	})
}

// TestE2EOracleConstructors: what is appended to the init code.
func TestE2EOracleConstructors(t *testing.T) {
	cases(t, 2, 300, func(t *testing.T, r *random) {
		in := r.shapes(0, 4, 3)
		args := values(r, in)
		f, err := abi.ParseConstructor("constructor" + tuple(in))
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Encode(arguments(t, args), nil)
		if err != nil {
			t.Fatalf("%s of %v: %v", tuple(in), args, err)
		}
		var a struct{ Data string }
		ask(t, question{"ask": "init", "types": names(in), "args": args}, &a)
		if showHex(data) != a.Data {
			t.Errorf("%s of %v:\n have %x\n want %s", tuple(in), args, data, a.Data)
		}
	})
}

// TestE2EOracleEvents: the topics that find the logs of any event. The
// oracle knows no indexed arrays and tuples.
func TestE2EOracleEvents(t *testing.T) {
	cases(t, 3, 600, func(t *testing.T, r *random) {
		parts := r.shapes(0, 5, 2)
		args := values(r, parts)
		var params []string
		var topics []*string // nil where anything may stand
		for i, p := range parts {
			if !p.plain || len(topics) == 3 || r.chance(2) {
				params = append(params, p.name)
				continue
			}
			params = append(params, p.name+" indexed")
			var topic *string
			if !r.chance(4) {
				text := written(t, args[i])
				topic = &text
			}
			topics = append(topics, topic)
		}
		signature := r.name(0) + "(" + strings.Join(params, ",") + ")"
		e, err := abi.ParseEvent(signature)
		if err != nil {
			t.Fatalf("%s: %v", signature, err)
		}
		var a struct {
			Canonical, Data string
			Topics          []common.Hash
		}
		ask(t, question{"ask": "event", "signature": signature, "values": args}, &a)
		if e.String() != a.Canonical {
			t.Errorf("%s is %s, not %s", signature, e, a.Canonical)
		}
		f, err := e.Topics(topics, nil)
		if err != nil {
			t.Fatalf("%s: %v", signature, err)
		}
		if len(f) != len(a.Topics) {
			t.Fatalf("%s: %d topics, not %d", signature, len(f), len(a.Topics))
		}
		for i, topic := range f {
			if topic != nil && common.BytesToHash(topic) != a.Topics[i] {
				t.Errorf("%s of %v: topic %d\n have %x\n want %s", signature, args, i, topic, a.Topics[i])
			}
		}
	})
}
