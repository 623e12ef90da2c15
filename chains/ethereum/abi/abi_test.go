package abi

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
)

const (
	alice   = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // of EIP-55
	highest = "115792089237316195423570985008687907853269984665640564039457584007913129639935"
)

func parsed(t testing.TB, signature string) *Function {
	t.Helper()
	f, err := ParseFunction(signature)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// data joins words: hex digits filled with zeros on the left, or with a dot at
// the end on the right.
func data(words ...string) []byte {
	var b strings.Builder
	for _, w := range words {
		if digits, ok := strings.CutSuffix(w, "."); ok {
			b.WriteString(digits + strings.Repeat("0", 64-len(digits)))
		} else {
			b.WriteString(strings.Repeat("0", 64-len(w)) + w)
		}
	}
	out, err := hex.DecodeString(b.String())
	if err != nil {
		panic(err)
	}
	return out
}

func ascii(s string) string { return hex.EncodeToString([]byte(s)) + "." }

// TestKnown: the examples of the ABI specification, and calls that chains see
// every second.
func TestKnown(t *testing.T) {
	for _, c := range []struct {
		signature, selector string
		args                []string
		words               []string
	}{
		{"baz(uint32,bool)", "cdcd77c0", []string{"69", "true"}, []string{"45", "1"}},
		{"bar(bytes3[2])", "fce353f6", []string{`["0x616263","0x646566"]`}, []string{ascii("abc"), ascii("def")}},
		{"sam(bytes,bool,uint256[])", "a5643bf2", []string{"0x64617665", "true", "[1,2,3]"},
			[]string{"60", "1", "a0", "4", ascii("dave"), "3", "1", "2", "3"}},
		{"sam(bytes,bool,uint[])", "a5643bf2", []string{"0x64617665", "true", `["1","0x2",3]`},
			[]string{"60", "1", "a0", "4", ascii("dave"), "3", "1", "2", "3"}},
		{"f(uint256,uint32[],bytes10,bytes)", "8be65246", []string{"0x123", `["0x456","0x789"]`, "0x31323334353637383930", "0x48656c6c6f2c20776f726c6421"},
			[]string{"123", "80", ascii("1234567890"), "e0", "2", "456", "789", "d", ascii("Hello, world!")}},
		{"g(uint256[][],string[])", "2289b18c", []string{"[[1, 2], [3]]", `["one", "two", "three"]`},
			[]string{"40", "140", "2", "40", "a0", "2", "1", "2", "1", "3", "3", "60", "a0", "e0", "3", ascii("one"), "3", ascii("two"), "5", ascii("three")}},
		{"transfer(address,uint256)", "a9059cbb", []string{alice, "1000000"}, []string{alice[2:], "f4240"}},
		{"approve(address, uint256)", "095ea7b3", []string{strings.ToLower(alice), highest}, []string{alice[2:], strings.Repeat("f", 64)}},
		{"transferFrom(address from,address to,uint amount)", "23b872dd", []string{alice, alice, "0"}, []string{alice[2:], alice[2:], "0"}},
		{"balanceOf(address)(uint256)", "70a08231", []string{alice}, []string{alice[2:]}},
		{"totalSupply()", "18160ddd", nil, nil},
		// Overloads differ in the selector.
		{"safeTransferFrom(address,address,uint256)", "42842e0e", []string{alice, alice, "7"}, []string{alice[2:], alice[2:], "7"}},
		{"safeTransferFrom(address,address,uint256,bytes)", "b88d4fde", []string{alice, alice, "7", "0x"}, []string{alice[2:], alice[2:], "7", "80", "0"}},
		// Uniswap V3 and Multicall3: a tuple, and an array of dynamic ones.
		{"exactInputSingle(tuple(address,address,uint24,address,uint256,uint256,uint256,uint160))", "414bf389",
			[]string{fmt.Sprintf(`["%s","%s",3000,"%s",1,2,3,0]`, alice, alice, alice)},
			[]string{alice[2:], alice[2:], "bb8", alice[2:], "1", "2", "3", "0"}},
		{"aggregate3((address target,bool allowFailure,bytes callData)[])", "82ad56cb",
			[]string{`[{"callData":"0x18160ddd","target":"` + alice + `","allowFailure":true}]`},
			[]string{"20", "1", "20", alice[2:], "1", "60", "4", "18160ddd."}},
		{"f(int8,int256)", "", []string{"-1", "-2"}, []string{strings.Repeat("f", 64), strings.Repeat("f", 63) + "e"}},
		{"f(function)", "", []string{"0x" + strings.Repeat("ab", 24)}, []string{strings.Repeat("ab", 24) + "."}},
		{"f(uint256[],string,bytes)", "", []string{"[]", "", "0x"}, []string{"60", "80", "a0", "0", "0", "0"}},
		{"f(uint256[][])", "", []string{"[[],[]]"}, []string{"20", "2", "40", "60", "0", "0"}},
		{"f((uint256,(address,bytes)[]))", "", []string{`[9,[["` + alice + `","0x01"]]]`},
			[]string{"20", "9", "40", "1", "20", alice[2:], "40", "1", "01."}},
		{"f(string[2])", "", []string{`["a","b"]`}, []string{"20", "40", "80", "1", ascii("a"), "1", ascii("b")}},
	} {
		f := parsed(t, c.signature)
		got, err := f.Encode(c.args, nil)
		if err != nil {
			t.Errorf("%s: %v", c.signature, err)
			continue
		}
		if s := hex.EncodeToString(got[:4]); c.selector != "" && s != c.selector {
			t.Errorf("%s has the selector %s", c.signature, s)
		}
		if want := data(c.words...); string(got[4:]) != string(want) {
			t.Errorf("%s:\n%x\nwant\n%x", c.signature, got[4:], want)
		}
		again(t, f, got)
	}
}

// again: what data decodes to encodes to the same again.
func again(t testing.TB, f *Function, data []byte) {
	t.Helper()
	values, err := f.Arguments(data)
	if err != nil {
		t.Errorf("%s: decode %x: %v", f, data, err)
		return
	}
	back, err := f.Encode(texts(values), nil)
	if err != nil || string(back) != string(data) {
		t.Errorf("%s: %q became\n%x, %v, from\n%x", f, texts(values), back, err, data)
	}
}

func texts(values []Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.Text()
	}
	return out
}

func TestConstructor(t *testing.T) {
	for _, signature := range []string{"(address,uint256)", "constructor(address, uint)", "constructor (address a,uint b)"} {
		f, err := ParseConstructor(signature)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Encode([]string{alice, "1"}, nil)
		if err != nil || string(got) != string(data(alice[2:], "1")) {
			t.Errorf("%s: %x, %v", signature, got, err)
		}
		again(t, f, got)
	}
	for _, signature := range []string{"", "init(address)", "constructor", "constructor()()", "(address", strings.Repeat(" ", 3000) + "()"} {
		if _, err := ParseConstructor(signature); !errors.Is(err, ErrSignature) {
			t.Errorf("%.60q: %v", signature, err)
		}
	}
	f, err := ParseConstructor("()")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := f.Encode(nil, nil); err != nil || len(got) != 0 {
		t.Errorf("no parameters are %x, %v", got, err)
	}
}

// TestArguments: what is refused, which argument the error names, and why.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		types string
		args  []string
		index int
		why   string // part of the message; "" taken
	}{
		{"uint8", []string{"255"}, 0, ""},
		{"uint8", []string{"0xff"}, 0, ""},
		{"uint8", []string{"007"}, 0, ""},
		{"uint8", []string{"256"}, 0, "out of the range of uint8"},
		{"uint8", []string{"0x100"}, 0, "out of the range"},
		{"uint8", []string{"-1"}, 0, "no sign"},
		{"uint8", []string{"-0"}, 0, "no sign"},
		{"uint8", []string{"+1"}, 0, "want a decimal or 0x hex integer"},
		{"uint8", []string{""}, 0, "want a decimal"},
		{"uint8", []string{"0x"}, 0, "want a decimal"},
		{"uint8", []string{"0X1"}, 0, "want a decimal"},
		{"uint8", []string{"1.0"}, 0, "want a decimal"},
		{"uint8", []string{"1e1"}, 0, "want a decimal"},
		{"uint8", []string{"1_0"}, 0, "want a decimal"},
		{"uint8", []string{" 1"}, 0, "want a decimal"},
		{"uint8", []string{"ff"}, 0, "want a decimal"},
		{"uint8", []string{"--1"}, 0, "want a decimal"},
		{"uint8", []string{"١"}, 0, "want a decimal"},
		{"uint8", []string{strings.Repeat("0", 101)}, 0, "want a decimal"},
		{"uint256", []string{highest}, 0, ""},
		{"uint256", []string{highest[:77] + "6"}, 0, "out of the range of uint256"},
		{"int8", []string{"127"}, 0, ""},
		{"int8", []string{"-128"}, 0, ""},
		{"int8", []string{"-0x80"}, 0, ""},
		{"int8", []string{"-0"}, 0, ""},
		{"int8", []string{"128"}, 0, "out of the range of int8"},
		{"int8", []string{"-129"}, 0, "out of the range of int8"},
		{"int8", []string{"0xff"}, 0, "out of the range of int8"},
		{"int", []string{highest}, 0, "out of the range of int256"},
		{"bool", []string{"false"}, 0, ""},
		{"bool", []string{"True"}, 0, "want true or false"},
		{"bool", []string{"1"}, 0, "want true or false"},
		{"bytes3", []string{"0xABcdef"}, 0, ""},
		{"bytes3", []string{"0xabcd"}, 0, "want 3 bytes, not 2"},
		{"bytes3", []string{"0xabcdef01"}, 0, "want 3 bytes, not 4"},
		{"bytes3", []string{"abcdef"}, 0, "want 0x"},
		{"bytes3", []string{"0xabcde"}, 0, "want 0x"},
		{"function", []string{"0x00"}, 0, "want 24 bytes, not 1"},
		{"bytes", []string{"0xzz"}, 0, "want 0x"},
		{"bytes", []string{""}, 0, "want 0x"},
		{"string", []string{"\xff"}, 0, "not UTF-8"},
		{"string", []string{"[\"héllo\x00"}, 0, ""},
		{"address", []string{strings.ToUpper(alice[2:])}, 0, "not an address"},
		{"address", []string{"0x" + strings.ToUpper(alice[2:])}, 0, ""},
		{"address", []string{alice + "00"}, 0, "not an address"},
		{"address", []string{"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"}, 0, "checksum"},
		{"address,uint256 amount", []string{alice, "x"}, 1, "argument 2 (uint256 amount): want a decimal"},
		{"address,uint256", []string{alice}, 1, "argument 2 (uint256): it is missing, 2 are wanted"},
		{"address", []string{alice, "1", "2"}, 1, "argument 2: it is too many, 1 are wanted"},
		{"", []string{""}, 0, "too many"},
		{"uint8[2]", []string{"[1,2]"}, 0, ""},
		{"uint8[2]", []string{" [ 1 ,\t\"2\"\n] "}, 0, ""},
		{"uint8[2]", []string{"[1]"}, 0, "1 of the 2 parts of uint8[2]"},
		{"uint8[2]", []string{"[1,2,3]"}, 0, "more than the 2 parts"},
		{"uint8[2]", []string{"[1,256]"}, 0, "part 2: \"256\" is out of the range"},
		{"uint8[]", []string{"[1,]"}, 0, "part 2"},
		{"uint8[]", []string{"[1,2],"}, 0, "nothing may follow"},
		{"uint8[]", []string{"[1,2]\x00"}, 0, "nothing may follow"},
		{"uint8[]", []string{"[1 2]"}, 0, "want , or ]"},
		{"uint8[]", []string{"[,1]"}, 0, "part 1"},
		{"uint8[]", []string{"[1"}, 0, "want , or ]"},
		{"uint8[]", []string{""}, 0, "want ["},
		{"uint8[]", []string{"1"}, 0, "want ["},
		{"uint8[]", []string{"{}"}, 0, "want ["},
		{"uint8[]", []string{"[[1]]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[01]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[0x1]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[1.0]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[1e1]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[null]"}, 0, "want a uint8"},
		{"uint8[]", []string{"[true]"}, 0, "want a uint8"},
		{"int8[]", []string{"[-1,-0]"}, 0, ""},
		{"uint256[]", []string{"[9007199254740993," + highest + "]"}, 0, ""},
		{"bool[]", []string{`[true,false,"true"]`}, 0, ""},
		{"bool[]", []string{`[1]`}, 0, "want a bool"},
		{"string[]", []string{`[a]`}, 0, "want a string"},
		{"string[]", []string{"[\"\xff\"]"}, 0, "not UTF-8"},
		{"string[]", []string{"[\"\n\"]"}, 0, "control character"},
		{"string[]", []string{`["\x"]`}, 0, "an escape that JSON does not have"},
		{"string[]", []string{`["\u00g0"]`}, 0, "an escape"},
		{"string[]", []string{`["\u+0a0"]`}, 0, "an escape"},
		{"string[]", []string{`["\u12`}, 0, "an escape"},
		{"string[]", []string{`["\`}, 0, "without end"},
		{"string[]", []string{`["a`}, 0, "without end"},
		{"string[]", []string{`["\ud800"]`}, 0, "half a character"},
		{"string[]", []string{`["\ud800\u0041"]`}, 0, "half a character"},
		{"string[]", []string{`["\udc00\ud800"]`}, 0, "half a character"},
		{"(uint8 a,bool b)", []string{`{"b":true,"a":1}`}, 0, ""},
		{"(uint8 a,bool b)", []string{`[1,true]`}, 0, ""},
		{"(uint8 a,bool b)", []string{`{"a":1}`}, 0, "1 of the 2 components"},
		{"(uint8 a,bool b)", []string{`{"a":1,"a":2}`}, 0, `component "a" stands twice`},
		{"(uint8 a,bool b)", []string{`{"a":1,"c":true}`}, 0, `no component "c"`},
		{"(uint8 a,bool b)", []string{`{"a":1,}`}, 0, "want a string"},
		{"(uint8 a,bool b)", []string{`{"a" 1}`}, 0, "want :"},
		{"(uint8 a,bool b)", []string{`{"a":1 "b":true}`}, 0, "want , or }"},
		{"(uint8 a,bool b)", []string{`{"a":300,"b":true}`}, 0, "component a: \"300\" is out of the range"},
		{"(uint8 a,bool)", []string{`{"a":1,"":true}`}, 0, `no component ""`},
		{"(uint8,bool)", []string{`{"a":1}`}, 0, "no component"},
	} {
		f := parsed(t, "f("+c.types+")")
		got, err := f.Encode(c.args, nil)
		if c.why == "" {
			if err != nil {
				t.Errorf("%s %q: %v", c.types, c.args, err)
			} else {
				again(t, f, got)
			}
			continue
		}
		var e *ArgumentError
		if !errors.As(err, &e) || e.Index != c.index || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s %q: %v, want one of argument %d with %q", c.types, c.args, err, c.index, c.why)
		} else if len(err.Error()) > 300 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	}
}

func TestErrors(t *testing.T) {
	f := parsed(t, "f(address)")
	own := errors.New("no such peer")
	resolve := func(name string) (string, error) {
		switch name {
		case "alice":
			return alice, nil
		case "bad":
			return "bad", nil
		}
		return "", own
	}
	if got, err := f.Encode([]string{"alice"}, resolve); err != nil || string(got[4:]) != string(data(alice[2:])) {
		t.Errorf("alice is %x, %v", got, err)
	}
	if got, err := f.Encode([]string{alice}, resolve); err != nil || string(got[4:]) != string(data(alice[2:])) {
		t.Errorf("an address is %x, %v", got, err)
	}
	for text, want := range map[string]error{"carol": own, "bad": chains.ErrAddress, "0x12": chains.ErrAddress, alice[:41] + "D": chains.ErrChecksum} {
		if _, err := f.Encode([]string{text}, resolve); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	if _, err := f.Encode([]string{"alice"}, nil); !errors.Is(err, chains.ErrAddress) {
		t.Errorf("a name without a resolver: %v", err)
	}
	list := parsed(t, "f(address[])")
	if got, err := list.Encode([]string{`["alice"]`}, resolve); err != nil || string(got[4:]) != string(data("20", "1", alice[2:])) {
		t.Errorf("a name in an array is %x, %v", got, err)
	}
}

// TestSize: 64 KiB are taken, a byte more is not.
func TestSize(t *testing.T) {
	for _, c := range []struct {
		types string
		arg   func(n int) string
		n     int // the most
	}{
		{"bytes", func(n int) string { return "0x" + strings.Repeat("00", n) }, maxEncoded - 64},
		{"string", func(n int) string { return strings.Repeat("x", n) }, maxEncoded - 64},
		{"uint256[]", func(n int) string { return "[0" + strings.Repeat(",0", n-1) + "]" }, maxEncoded/32 - 2},
		{"uint256[][]", func(n int) string { return "[[]" + strings.Repeat(",[]", n-1) + "]" }, (maxEncoded - 64) / 64},
	} {
		f := parsed(t, "f("+c.types+")")
		got, err := f.Encode([]string{c.arg(c.n)}, nil)
		if err != nil || len(got) != 4+maxEncoded {
			t.Errorf("%s with %d: %d bytes, %v", c.types, c.n, len(got), err)
			continue
		}
		again(t, f, got)
		if got, err := f.Encode([]string{c.arg(c.n + 1)}, nil); err == nil {
			t.Errorf("%s with %d: %d bytes", c.types, c.n+1, len(got))
		}
	}
	half := "0x" + strings.Repeat("00", maxEncoded/2-64)
	var e *ArgumentError
	if _, err := parsed(t, "f(bytes,bytes,bool)").Encode([]string{half, half, "true"}, nil); !errors.As(err, &e) || e.Index != 2 {
		t.Errorf("too much in all: %v", err)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"f()":                            "f()",
		"f()()":                          "f()",
		" f ( )":                         "f()",
		"_$9(uint,int,uint8 ,int256)":    "_$9(uint256,int256,uint8,int256)",
		"f(uint [ ] [ 2 ] x)":            "f(uint256[][2])",
		"f((uint256,(address,bytes)[]))": "f((uint256,(address,bytes)[]))",
		"f(tuple(uint256 id, tuple (address to,bytes data)[] calls) order)(bool ok)": "f((uint256,(address,bytes)[]))",
		"f(function,string,bytes,bytes1,bytes32,bool,address)":                       "f(function,string,bytes,bytes1,bytes32,bool,address)",
		"f" + strings.Repeat("(", 17) + "bool" + strings.Repeat(")", 17):             "f" + strings.Repeat("(", 17) + "bool" + strings.Repeat(")", 17),
		"f(bool" + strings.Repeat("[]", 16) + ")":                                    "f(bool" + strings.Repeat("[]", 16) + ")",
		"f(bool" + strings.Repeat(",bool", 63) + ")":                                 "f(bool" + strings.Repeat(",bool", 63) + ")",
		"f(uint256[2048])":        "f(uint256[2048])",
		"f(string[1023])":         "f(string[1023])",
		"f((string[1022],bytes))": "f((string[1022],bytes))",
		"f(string[682])":          "f(string[682])",
		"error_(bool)":            "error_(bool)",
	} {
		f, err := ParseFunction(text)
		if err != nil || f.String() != want {
			t.Errorf("%q is %v, %v", text, f, err)
		}
	}
	f := parsed(t, "f(uint256 a,(bool b) c)(string d)")
	if f.Inputs[0].Name != "a" || f.Inputs[1].Name != "c" || f.Outputs[0].Name != "d" || f.Outputs[0].Type.String() != "string" {
		t.Errorf("%+v", f)
	}
	if f := parsed(t, "f()"); f.Outputs != nil {
		t.Error("returns that nobody named")
	}
	if f := parsed(t, "f()()"); f.Outputs == nil {
		t.Error("no returns are as good as none named")
	}
}

// BenchmarkCall: what a host's usual call costs before it is accepted.
func BenchmarkCall(b *testing.B) {
	for b.Loop() {
		f, err := ParseFunction("transfer(address,uint256)(bool)")
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Encode([]string{alice, "1000000"}, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func TestParseRefused(t *testing.T) {
	for _, c := range []struct{ text, why string }{
		{"", "want a name"}, {"()", "want a name"}, {"9f()", "want a name"}, {"f", "want ( behind"}, {"f(", "want a type"}, {"f(uint256", "want , or )"},
		{"f(,)", "want a type"}, {"f(bool,)", "want a type"}, {"f(bool))", "nothing may follow"}, {"f()()()", "nothing may follow"}, {"f()\x00", "nothing may follow"}, {"f() ;", "nothing may follow"},
		{"f() view", "nothing may follow"}, {"f() returns (bool)", "nothing may follow"}, {"f\t()", "want ("},
		{"function f()", `leave out the word "function"`}, {"event E()", `leave out the word "event"`}, {"constructor()", `leave out the word "constructor"`}, {"error E()", "want ( behind the name"},
		{"f(bytes memory)", `leave out the word "memory"`}, {"f(bytes calldata x)", `leave out the word "calldata"`}, {"f(uint[] storage x)", `leave out the word "storage"`},
		{"f(address payable)", `leave out the word "payable"`}, {"f(address indexed)", `leave out the word "indexed"`}, {"f(bool 9x)", "is no name"}, {"f(bool x y)", "want , or )"},
		{"f(bool x,bool x)", "stands twice"}, {"f((bool x,bool x))", "stands twice"},
		{"f(fixed)", "fixed-point"}, {"f(fixed128x18)", "fixed-point"}, {"f(ufixed8x1)", "fixed-point"},
		{"f(uint0)", "8 to 256 bits"}, {"f(uint7)", "8 to 256 bits"}, {"f(uint264)", "8 to 256 bits"}, {"f(uint08)", "8 to 256 bits"}, {"f(int12)", "8 to 256 bits"}, {"f(int99999999999999999999)", "8 to 256 bits"},
		{"f(bytes0)", "1 to 32 bytes"}, {"f(bytes33)", "1 to 32 bytes"}, {"f(bytes01)", "1 to 32 bytes"},
		{"f(byte)", "no type"}, {"f(IERC20)", "no type"}, {"f(tuple)", "no type"}, {"f(struct S)", "no type"}, {"f(Uint8)", "no type"}, {"f(bool2)", "no type"}, {"f(1)", "want a type"}, {"f(é)", "want a type"},
		{"f(())", "want a type"}, {"f(tuple())", "want a type"}, {"f(foo(bool))", "no type"}, {"f(bool(bool))", "want , or )"},
		{"f(bool[0])", "1 to 2048"}, {"f(bool[01])", "1 to 2048"}, {"f(bool[-1])", "want a number"}, {"f(bool[2049])", "1 to 2048"}, {"f(bool[99999999999999999999])", "1 to 2048"}, {"f(bool[x])", "1 to 2048"}, {"f(bool[1)", "want a number"}, {"f(bool])", "want , or )"},
		{"f(bool[2048][2])", "more than 65536 bytes"}, {"f(bool[64][64])", "more than 65536 bytes"}, {"f(string[2048])", "more than 65536 bytes"}, {"f((bool[2048],bool))", "more than 65536 bytes"},
		{"f(string[1024])", "more than 65536 bytes"}, {"f((string[1022],bytes,bool))", "more than 65536 bytes"}, {"f(bool[2048],bool)", "more than 65536 bytes"}, {"f()(bool[2048],bool)", "more than 65536 bytes"}, {"f(bool[2048][2048][2048][2048][2048])", "more than 65536 bytes"},
		{"f(bool" + strings.Repeat("[]", 17) + ")", "inside each other"}, {"f" + strings.Repeat("(", 18) + "bool" + strings.Repeat(")", 18), "inside each other"}, {strings.Repeat("f(", 1000), "no type"},
		{"f" + strings.Repeat("(", 1000), "inside each other"}, {"f((bool" + strings.Repeat("[]", 16) + "))", "inside each other"}, {"f(" + strings.Repeat("(bool)[],", 3) + "(bool" + strings.Repeat("[1]", 16) + "))", "inside each other"},
		{"f(bool" + strings.Repeat(",bool", 64) + ")", "more than 64 types"},
		{"f(" + strings.Repeat(" ", 2050) + ")", "more than 2048 bytes"},
	} {
		f, err := ParseFunction(c.text)
		if !errors.Is(err, ErrSignature) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%.80q is %v, %v, want an error with %q", c.text, f, err, c.why)
		} else if len(err.Error()) > 250 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	}
}
