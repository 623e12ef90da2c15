package abi

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var signatures = []string{
	"f()", "transfer(address,uint256)(bool)", "f(uint256,uint32[],bytes10,bytes)", "g(uint256[][],string[])(string[],uint8[2][])",
	"f(tuple(uint256 id,(address to,bytes data)[] calls) order,int8)((bool,string)[2])", "constructor(int,function)", "Transfer(address indexed from,address indexed,uint256)",
	"f(fixed128x18)", "f(bool[2048])", "f((((bool[1])[])[2]))(bytes[][][][])",
}

// FuzzParse: a signature that is taken has a canonical form that is its own
// canonical form, and types within the bounds.
func FuzzParse(f *testing.F) {
	for _, s := range signatures {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if fn, err := ParseFunction(text); err == nil {
			back, err := ParseFunction(fn.String())
			if err != nil || back.String() != fn.String() || back.Selector() != fn.Selector() || strings.Contains(fn.String(), " ") {
				t.Errorf("%q became %v, %v", text, back, err)
			}
			bounded(t, fn.Inputs)
			bounded(t, fn.Outputs)
			gethParams(t, fn.Inputs)
		} else if !errors.Is(err, ErrSignature) {
			t.Error(err)
		}
		if c, err := ParseConstructor(text); err == nil {
			if back, err := ParseConstructor(c.String()); err != nil || back.String() != c.String() {
				t.Errorf("%q became %v, %v", text, back, err)
			}
			bounded(t, c.Inputs)
		}
		if e, err := ParseEvent(text); err == nil {
			if back, err := ParseEvent(e.String()); err != nil || back.Topic() != e.Topic() {
				t.Errorf("%q became %v, %v", text, back, err)
			}
			bounded(t, e.Inputs)
		}
	})
}

func bounded(t *testing.T, params []Param) {
	size := 0
	for _, p := range params {
		size += p.Type.least
		if p.Type.depth > maxDepth+1 || p.Type.head() < wordSize {
			t.Errorf("%s has the depth %d and %d bytes in the head", p.Type, p.Type.depth, p.Type.head())
		}
	}
	if size > maxEncoded || len(params) > maxParams {
		t.Errorf("%d parameters of %d bytes", len(params), size)
	}
}

// FuzzEncode: what can be encoded is bounded, can be decoded, and encodes to
// the same from what was decoded.
func FuzzEncode(f *testing.F) {
	for _, s := range signatures {
		f.Add(s, "1\n"+alice)
	}
	f.Add("f(uint256[][],string)", "[[1,\"0x2\"],[]]\nx")
	f.Add("f((uint8 a,string[] b))", `{"b":["\ud83d\ude00"],"a":-0}`)
	f.Add("f(int8,bytes)", "-0x80\n0xab")
	f.Fuzz(func(t *testing.T, signature, args string) {
		fn, err := ParseFunction(signature)
		if err != nil {
			return
		}
		var list []string
		if args != "" {
			list = strings.Split(args, "\n")
		}
		data, err := fn.Encode(list, nil)
		if err != nil {
			var e *ArgumentError
			if !errors.As(err, &e) || e.Index < 0 || e.Index > max(len(list), len(fn.Inputs)) || len(err.Error()) > 4000 {
				t.Errorf("%s %q: %v", fn, list, err)
			}
			return
		}
		if len(data) > 4+maxEncoded || len(data)%32 != 4 {
			t.Errorf("%s %q: %d bytes", fn, list, len(data))
		}
		again(t, fn, data)
	})
}

// FuzzDecode: foreign data makes no more values than it has words; what can be
// decoded encodes to data with the same values, and go-ethereum reads the same.
func FuzzDecode(f *testing.F) {
	for _, s := range signatures {
		f.Add(s, data("20", "40", "2", "1", "2"))
	}
	f.Add("f()(uint256[][],string[])", data("40", "140", "2", "40", "a0", "2", "1", "2", "1", "3", "3", "60", "a0", "e0", "3", ascii("one"), "3", ascii("two"), "5", ascii("three")))
	f.Add("f()(bytes,bytes)", data("80", "40", "1", "ab.", "1", "cd."))
	f.Add("f()(int8,bool,address,bytes3,function)", data("7f", "1", alice[2:], "abcdef.", "01."))
	f.Fuzz(func(t *testing.T, signature string, data []byte) {
		fn, err := ParseFunction(signature)
		if err != nil {
			return
		}
		Reason(data, fn)
		hold(t, fn, data)
	})
}

// hold: data that fn returned is refused or decodes within bounds, and to what
// go-ethereum reads of it. It says whether it decoded.
func hold(t testing.TB, fn *Function, data []byte) bool {
	t.Helper()
	values, err := fn.Returns(data)
	if err != nil {
		if !errors.Is(err, ErrData) {
			t.Error(err)
		}
		return false
	}
	if n := elements(values); n > len(data)/wordSize {
		t.Errorf("%d values in %d bytes", n, len(data))
	}
	Fields(values, 80)
	out := &Function{Inputs: fn.Outputs}
	clean, err := out.Encode(texts(values), nil)
	if err != nil {
		t.Fatalf("%q: %v", texts(values), err)
	}
	if back, err := out.Arguments(clean); err != nil || !slices.Equal(texts(back), texts(values)) {
		t.Errorf("%q became %q, %v", texts(values), texts(back), err)
	}
	if len(values) == 0 {
		return true
	}
	params := gethParams(t, fn.Outputs)
	read, err := params.Unpack(data)
	if err != nil {
		t.Fatalf("geth refuses %x: %v", data, err)
	}
	if packed, err := params.Pack(read...); err != nil || string(packed) != string(clean) {
		t.Errorf("geth reads\n%x, %v\nwe read\n%x", packed, err, clean)
	}
	return true
}
