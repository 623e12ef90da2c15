package abi

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
)

// gethParams are params as go-ethereum's own package has them.
func gethParams(t testing.TB, params []Param) (args abi.Arguments) {
	t.Helper()
	for i, p := range params {
		m := marshaling(fmt.Sprint("a", i), p.Type)
		typ, err := abi.NewType(m.Type, "", m.Components)
		if err != nil {
			t.Fatalf("%s: %v", p.Type, err)
		}
		args = append(args, abi.Argument{Name: m.Name, Type: typ})
	}
	return args
}

func marshaling(name string, t *Type) (m abi.ArgumentMarshaling) {
	switch t.kind {
	case slice:
		m = marshaling(name, t.elem)
		m.Type += "[]"
	case array:
		m = marshaling(name, t.elem)
		m.Type += "[" + strconv.Itoa(t.size) + "]"
	case tuple:
		m.Type = "tuple"
		for i, f := range t.fields {
			m.Components = append(m.Components, marshaling(fmt.Sprint("f", i), f.Type))
		}
	default:
		m.Type = t.String()
	}
	m.Name = name
	return m
}

// A sampler makes random types and values.
type sampler struct{ *rand.Rand }

var elementary = []string{"address", "bool", "bytes", "string", "function", "uint", "int", "uint8", "int256", "bytes32", "bytes1"}

// typ returns the text of a random type.
func (r sampler) typ(depth int) string {
	n := r.IntN(10)
	switch {
	case depth > 0 && n < 2:
		return r.typ(depth-1) + "[]"
	case depth > 0 && n < 4:
		return r.typ(depth-1) + fmt.Sprintf("[%d]", 1+r.IntN(3))
	case depth > 0 && n < 6:
		return r.tuple(depth)
	case n < 7:
		return fmt.Sprintf("uint%d", 8*(1+r.IntN(32)))
	case n < 8:
		return fmt.Sprintf("int%d", 8*(1+r.IntN(32)))
	case n < 9:
		return fmt.Sprintf("bytes%d", 1+r.IntN(32))
	}
	return elementary[r.IntN(len(elementary))]
}

func (r sampler) tuple(depth int) string {
	named := r.IntN(2) == 0
	parts := make([]string, 1+r.IntN(3))
	for i := range parts {
		if parts[i] = r.typ(depth - 1); named {
			parts[i] += fmt.Sprint(" n", i)
		}
	}
	return []string{"(", "tuple("}[r.IntN(2)] + strings.Join(parts, ",") + ")"
}

func (r sampler) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (r sampler) string() string {
	runes := make([]rune, r.IntN(40))
	for i := range runes {
		runes[i] = []rune{'a', '"', '\\', '\n', 0, 'é', '€', '😀', '<', 0x7f, 0xfffd, 0x2028, '/'}[r.IntN(13)]
	}
	return string(runes)
}

// integer returns a random integer of t, its ends more often than others.
func (r sampler) integer(t *Type) *big.Int {
	v := new(big.Int).SetBytes(r.bytes(32))
	switch r.IntN(4) {
	case 0:
		v.SetInt64(0)
	case 1:
		v.SetString(highest, 10)
	}
	v.Rsh(v, uint(256-t.size+r.IntN(2)*r.IntN(t.size)))
	if t.kind == signed {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(t.size-1)))
	}
	return v
}

func setInteger(to reflect.Value, v *big.Int) {
	switch {
	case to.CanInt():
		to.SetInt(v.Int64())
	case to.CanUint():
		to.SetUint(v.Uint64())
	default:
		to.Set(reflect.ValueOf(v))
	}
}

// value sets to to a random value of t, and returns a text for it as a host may
// write it, and the text that it must decode to.
func (r sampler) value(t *Type, to reflect.Value) (arg, want string) {
	switch t.kind {
	case unsigned, signed:
		v := r.integer(t)
		setInteger(to, v)
		if arg = v.String(); r.IntN(2) == 0 {
			if arg = fmt.Sprintf("0x%x", v); v.Sign() < 0 {
				arg = fmt.Sprintf("-0x%X", new(big.Int).Neg(v))
			}
		}
		return arg, v.String()
	case boolean:
		to.SetBool(r.IntN(2) == 0)
		return strconv.FormatBool(to.Bool()), strconv.FormatBool(to.Bool())
	case address:
		a := common.BytesToAddress(r.bytes(20))
		to.Set(reflect.ValueOf(a))
		return []string{a.Hex(), strings.ToLower(a.Hex())}[r.IntN(2)], a.Hex()
	case fixedBytes, function:
		b := r.bytes(to.Len())
		reflect.Copy(to, reflect.ValueOf(b))
		return fmt.Sprintf("0x%X", b), "0x" + hex.EncodeToString(b)
	case dynamicBytes:
		b := r.bytes(r.IntN(70))
		to.SetBytes(b)
		return "0x" + hex.EncodeToString(b), "0x" + hex.EncodeToString(b)
	case text:
		s := r.string()
		to.SetString(s)
		return s, s
	case slice:
		n := r.IntN(4)
		to.Set(reflect.MakeSlice(to.Type(), n, n))
		return r.list(t, n, to.Index)
	case array:
		return r.list(t, t.size, to.Index)
	}
	return r.list(t, len(t.fields), to.Field)
}

// list makes a JSON array, or an object where it can.
func (r sampler) list(t *Type, n int, at func(int) reflect.Value) (arg, want string) {
	args, wants := make([]string, n), make([]string, n)
	named := t.kind == tuple && t.fields[0].Name != "" && r.IntN(2) == 0
	for i := range n {
		part := t.at(i)
		args[i], wants[i] = r.value(part, at(i))
		if !part.composite() {
			bare := part.kind == boolean || part.kind == unsigned && args[i] == wants[i]
			if !bare || r.IntN(2) == 0 {
				args[i] = quoted(args[i])
			}
			if part.kind != boolean {
				wants[i] = quoted(wants[i])
			}
		}
		if named {
			args[i] = quoted(t.fields[i].Name) + " : " + args[i]
		}
	}
	want = "[" + strings.Join(wants, ",") + "]"
	if named {
		r.Shuffle(n, func(i, j int) { args[i], args[j] = args[j], args[i] })
		return "{" + strings.Join(args, ",\n") + "}", want
	}
	return "[ " + strings.Join(args, " ,") + "]", want
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// same: two texts are equal, as JSON where the type is written so.
func same(t *Type, a, b string) bool {
	if !t.composite() {
		return a == b
	}
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// TestDamaged: encoded data with a word or two changed is refused, or both
// packages read the same values from it.
func TestDamaged(t *testing.T) {
	decoded := 0
	for seed := range uint64(1000) {
		r := sampler{rand.New(rand.NewPCG(seed, 2))}
		f := parsed(t, "fn()("+r.typ(3)+","+r.typ(3)+")")
		params := gethParams(t, f.Outputs)
		goValues := make([]any, len(params))
		for i, p := range params {
			v := reflect.New(p.Type.GetType()).Elem()
			r.value(f.Outputs[i].Type, v)
			goValues[i] = v.Interface()
		}
		packed, err := params.Pack(goValues...)
		if err != nil {
			t.Fatal(err)
		}
		for range 8 {
			if hold(t, f, r.damage(packed)) {
				decoded++
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, f.Outputs[0].Type)
		}
	}
	if decoded < 500 || decoded > 7500 {
		t.Errorf("%d of 8000 decode: the damage says nothing", decoded)
	}
}

// damage changes words to small numbers, as offsets and lengths are, or single
// bytes, or the length of the data.
func (r sampler) damage(data []byte) []byte {
	out := append([]byte(nil), data...)
	for range 1 + r.IntN(2) {
		at := r.IntN(len(out)/wordSize) * wordSize
		switch r.IntN(5) {
		case 0, 1:
			clear(out[at : at+wordSize])
			out[at+wordSize-1] = byte(r.IntN(10) * wordSize)
		case 2:
			out[at+wordSize-1] += byte(r.IntN(3) - 1)
		case 3:
			out[at+r.IntN(wordSize)] = byte(r.Uint32())
		case 4:
			out = append(out, make([]byte, r.IntN(2)*wordSize)...)
			out = out[:max(len(out)-r.IntN(40), wordSize)]
		}
	}
	return out
}

// TestAgainstGeth: over random types and values, both packages make the same
// selector and bytes, and read the same values from them.
func TestAgainstGeth(t *testing.T) {
	for seed := range uint64(1500) {
		r := sampler{rand.New(rand.NewPCG(seed, 1))}
		parts := make([]string, r.IntN(5))
		for i := range parts {
			parts[i] = r.typ(3)
		}
		f := parsed(t, "fn("+strings.Join(parts, ", ")+")")
		params := gethParams(t, f.Inputs)
		method := abi.NewMethod("fn", "fn", abi.Function, "", false, false, params, nil)
		if s := f.Selector(); f.String() != method.Sig || string(s[:]) != string(method.ID) {
			t.Fatalf("seed %d: %s %x, geth says %s %x", seed, f, s, method.Sig, method.ID)
		}
		args, wants, goValues := make([]string, len(parts)), make([]string, len(parts)), make([]any, len(parts))
		for i, p := range params {
			v := reflect.New(p.Type.GetType()).Elem()
			args[i], wants[i] = r.value(f.Inputs[i].Type, v)
			goValues[i] = v.Interface()
		}
		want, err := params.Pack(goValues...)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		got, err := f.Encode(args, nil)
		if err != nil || string(got[4:]) != string(want) {
			t.Fatalf("seed %d: %s %q:\n%x, %v\ngeth says\n%x", seed, f, args, got, err, want)
		}
		values, err := f.Arguments(got)
		if err != nil {
			t.Fatalf("seed %d: %s %x: %v", seed, f, got, err)
		}
		for i, v := range values {
			if !same(v.Type, v.Text(), wants[i]) {
				t.Fatalf("seed %d: %s: %q, want %q", seed, v.Type, v.Text(), wants[i])
			}
		}
		again(t, f, got)
		if len(parts) > 0 {
			if back, err := params.Unpack(got[4:]); err != nil || !reflect.DeepEqual(back, goValues) {
				t.Fatalf("seed %d: geth reads %v, %v", seed, back, err)
			}
		}
	}
}
