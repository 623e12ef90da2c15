package abi

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

const ones = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

// TestReturns: what foreign data decodes to, or that it is refused.
func TestReturns(t *testing.T) {
	for _, c := range []struct {
		types string
		words []string
		want  []string // nil refused
	}{
		{"uint256", []string{ones}, []string{highest}},
		{"uint8", []string{"ff"}, []string{"255"}},
		{"uint8", []string{"100"}, nil},
		{"uint248", []string{"01" + strings.Repeat("0", 62)}, nil},
		{"int8", []string{ones}, []string{"-1"}},
		{"int8", []string{strings.Repeat("f", 62) + "80"}, []string{"-128"}},
		{"int8", []string{"7f"}, []string{"127"}},
		{"int8", []string{"80"}, nil},
		{"int8", []string{strings.Repeat("f", 62) + "7f"}, nil},
		{"int8", []string{strings.Repeat("f", 60) + "0080"}, nil},
		{"int256", []string{"8" + strings.Repeat("0", 63)}, []string{"-57896044618658097711785492504343953926634992332820282019728792003956564819968"}},
		{"bool,bool", []string{"0", "1"}, []string{"false", "true"}},
		{"bool", []string{"2"}, nil},
		{"bool", []string{"101"}, nil},
		{"address", []string{alice[2:]}, []string{alice}},
		{"address", []string{"1" + alice[2:]}, nil},
		{"bytes3", []string{"abcdef."}, []string{"0xabcdef"}},
		{"bytes3", []string{"abcdef01."}, nil},
		{"bytes32", []string{ones}, []string{"0x" + ones}},
		{"function", []string{strings.Repeat("ab", 24) + "."}, []string{"0x" + strings.Repeat("ab", 24)}},
		{"function", []string{strings.Repeat("ab", 25) + "."}, nil},
		{"string", []string{"20", "3", ascii("abc")}, []string{"abc"}},
		{"string", []string{"20", "0"}, []string{""}},
		{"string", []string{"20", "1", "ff."}, nil},
		{"bytes", []string{"20", "1", "ff."}, []string{"0xff"}},
		{"(uint8,bool)[2]", []string{"1", "0", "2", "1"}, []string{`[["1",false],["2",true]]`}},
		{"string[]", []string{"20", "1", "20", "4", "225c0a41."}, []string{`["\"\\\u000aA"]`}},
		{"", nil, []string{}},
		{"", []string{"1"}, []string{}},

		// Too short.
		{"uint256", nil, nil},
		{"uint256,uint256", []string{"1"}, nil},
		{"uint256[2]", []string{"1"}, nil},
		{"string", nil, nil},
		{"string", []string{"20"}, nil},
		{"string", []string{"20", "1"}, nil},
		{"string", []string{"20", "21", ascii("a")}, nil},
		{"uint8[]", []string{"20", "2", "1"}, nil},
		{"uint8[]", []string{"20", "ffffffff"}, nil},
		{"uint8[]", []string{"20", ones}, nil},
		{"string[2]", []string{"20", "40"}, nil},

		// Offsets.
		{"string", []string{"0", "0"}, nil},             // itself
		{"string", []string{"1f", "0", "0"}, nil},       // inside the head
		{"bytes,bytes", []string{"20", "40", "0"}, nil}, // the head's second word
		{"string", []string{"60", "1", "2"}, nil},
		{"string", []string{"61", "1", "2"}, nil},
		{"string", []string{ones, "0"}, nil},
		{"string", []string{"1" + strings.Repeat("0", 8) + "20", "0"}, nil},
		{"string", []string{"80000020", "0"}, nil},
		{"bytes,bytes", []string{"40", "40", "1", "ab."}, nil},                                  // one value twice
		{"bytes,bytes", []string{"40", "40", "1", "ab.", "0", "0"}, []string{"0xab", "0xab"}},   // but nothing is gained by it
		{"bytes,bytes", []string{"80", "40", "1", "ab.", "1", "cd."}, []string{"0xcd", "0xab"}}, // any order
		{"bytes", []string{"40", "0", "1", "ab."}, []string{"0xab"}},                            // a gap
		{"bytes", []string{"20", "1", "ab.", ones}, []string{"0xab"}},                           // left over
		{"bytes", []string{"20", "1", ones}, []string{"0xff"}},                                  // dirty padding of bytes
		{"uint8[][]", []string{"20", "1", "0", "0", "0"}, nil},                                  // into its own head
		{"uint8[][]", []string{"20", "2", "40", "40", "0"}, nil},
	} {
		f := parsed(t, "f()("+c.types+")")
		values, err := f.Returns(data(c.words...))
		if c.want == nil {
			if !errors.Is(err, ErrData) {
				t.Errorf("%s of %v is %q, %v", c.types, c.words, texts(values), err)
			}
		} else if err != nil || !slices.Equal(texts(values), c.want) {
			t.Errorf("%s of %v is %q, %v, want %q", c.types, c.words, texts(values), err, c.want)
		}
	}
	// The padding at the end may be missing.
	f := parsed(t, "f()(bytes)")
	if v, err := f.Returns(data("20", "1", "ab.")[:65]); err != nil || v[0].Text() != "0xab" {
		t.Errorf("without padding: %v, %v", v, err)
	}
	if _, err := f.Returns(data("20", "1", "ab.")[:64]); err == nil {
		t.Error("without content")
	}
	if _, err := parsed(t, "f()()").Returns(make([]byte, maxEncoded)); err != nil {
		t.Errorf("64 KiB: %v", err)
	}
	if _, err := parsed(t, "f()()").Returns(make([]byte, maxEncoded+1)); !errors.Is(err, ErrData) {
		t.Errorf("more than 64 KiB: %v", err)
	}
}

// TestOwnData: a value does not change with the buffer that it came from.
func TestOwnData(t *testing.T) {
	buffer := data("20", "1", "ab.")
	values, err := parsed(t, "f()(bytes)").Returns(buffer)
	if err != nil {
		t.Fatal(err)
	}
	clear(buffer)
	if values[0].Text() != "0xab" {
		t.Error("the value changed")
	}
}

// TestBombs: data in which every offset leads to where the most is read costs
// no more than honest data of its length.
func TestBombs(t *testing.T) {
	for _, types := range []string{
		"bytes[]", "uint8[][]", "uint8" + strings.Repeat("[]", 16), "bytes" + strings.Repeat("[32][]", 2), "(uint8[],uint8[])[]", "(bytes,(bytes,bytes[])[])[]",
	} {
		f := parsed(t, "f()("+types+")")
		for _, word := range []string{"20", "40", "60", "400", "800"} {
			for _, first := range []string{"20", "40", "800"} {
				words := slices.Repeat([]string{word}, maxEncoded/32)
				words[0] = first
				b := data(words...)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				values, err := f.Returns(b)
				runtime.ReadMemStats(&after)
				if n := elements(values); n > len(b)/32 {
					t.Errorf("%s of words %s: %d values", types, word, n)
				}
				if used := after.TotalAlloc - before.TotalAlloc; used > 2<<20 {
					t.Errorf("%s of words %s: %d bytes, %v", types, word, used, err)
				}
			}
		}
	}
}

// elements counts the elementary values.
func elements(values []Value) (n int) {
	for _, v := range values {
		if v.Type.composite() {
			n += elements(v.Parts())
		} else {
			n++
		}
	}
	return n
}

func TestArgumentsOfAnother(t *testing.T) {
	f := parsed(t, "f(bool)")
	if _, err := f.Arguments([]byte{1, 2}); !errors.Is(err, ErrData) {
		t.Error(err)
	}
	other, err := parsed(t, "g(bool)").Encode([]string{"true"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Arguments(other); !errors.Is(err, ErrData) {
		t.Error(err)
	}
}

func TestFields(t *testing.T) {
	for _, c := range []struct {
		types string
		words []string
		limit int
		want  []Field // nil: does not fit
	}{
		{"uint256", []string{"7"}, 1, []Field{{"uint256", "7"}}},
		{"uint256", []string{ones}, 78, []Field{{"uint256", highest}}},
		{"uint256", []string{ones}, 77, nil},
		{"bool,address", []string{"1", alice[2:]}, 42, []Field{{"bool", "true"}, {"address", alice}}},
		{"bool,address", []string{"1", alice[2:]}, 41, nil},
		{"string", []string{"20", "2", ascii("OK")}, 6, []Field{{"string", "0x4f4b"}}},
		{"string", []string{"20", "2", ascii("OK")}, 5, nil},
		{"bytes", []string{"20", "3", ascii("abc")}, 2, nil},
		{"bytes4", []string{"cafebabe."}, 10, []Field{{"bytes4", "0xcafebabe"}}},
		{"uint8[1]", []string{"1"}, 100, nil},
		{"(bool)", []string{"1"}, 100, nil},
		{"", nil, 0, []Field{}},
	} {
		values, err := parsed(t, "f()("+c.types+")").Returns(data(c.words...))
		if err != nil {
			t.Fatal(err)
		}
		got, ok := Fields(values, c.limit)
		if ok != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%s in %d: %v, %v, want %v", c.types, c.limit, got, ok, c.want)
		}
	}
}

func TestReason(t *testing.T) {
	known := []*Function{parsed(t, "InsufficientBalance(uint256 available,uint256 required)"), parsed(t, "Unauthorized()")}
	with := func(selector string, words ...string) []byte {
		return append(common.FromHex(selector), data(words...)...)
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, ""},
		{[]byte{0xab, 0xcd}, "0xabcd"},
		{[]byte{0xca, 0xfe, 0xba, 0xbe, 1, 2}, "0xcafebabe"},
		{with("08c379a0", "20", "9", ascii("not today")), "not today"},
		{with("08c379a0", "20", "0"), ""},
		{with("08c379a0", "20", "9"), "0x08c379a0"},
		{with("08c379a0", "20", "1", "ff."), "0x08c379a0"},
		{with("4e487b71", "11"), "panic 0x11: arithmetic overflow"},
		{with("4e487b71", "1"), "panic 0x1: assertion failed"},
		{with("4e487b71", "ffff"), "panic 0xffff"},
		{[]byte{0x4e, 0x48, 0x7b, 0x71}, "0x4e487b71"},
		{with("cf479181", "5", "7"), "InsufficientBalance(5 7)"},
		{with("cf479181", "5"), "0xcf479181"},
		{with("82b42900"), "Unauthorized()"},
	} {
		if got := Reason(c.data, known...); got != c.want {
			t.Errorf("%x: %q, want %q", c.data, got, c.want)
		}
	}
}
