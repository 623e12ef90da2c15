package typed_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/boatd/boatd/chains/ethereum/typed"
)

// other is the digest by go-ethereum's own code.
func other(text []byte) ([]byte, error) {
	var data apitypes.TypedData
	if err := json.Unmarshal(text, &data); err != nil {
		return nil, err
	}
	digest, _, err := apitypes.TypedDataAndHash(data)
	return digest, err
}

// A generator makes random typed data that is good.
type generator struct{ *rand.Rand }

func (g generator) atom() string {
	return []string{
		"bool", "address", "string", "bytes", fmt.Sprintf("bytes%d", 1+g.IntN(32)),
		fmt.Sprintf("uint%d", 8+8*g.IntN(32)), fmt.Sprintf("int%d", 8+8*g.IntN(32)),
	}[g.IntN(7)]
}

// types makes struct types; one refers to those before it, or to itself in a list.
func (g generator) types() map[string][]map[string]string {
	types := map[string][]map[string]string{}
	for i := range 1 + g.IntN(5) {
		var members []map[string]string
		for j := range 1 + g.IntN(5) {
			typ := g.atom()
			switch n := g.IntN(6); {
			case n == 0:
				typ = fmt.Sprintf("T%d[]", i)
			case n < 3 && i > 0:
				typ = fmt.Sprintf("T%d", g.IntN(i))
			}
			for g.IntN(4) == 0 {
				typ += []string{"[]", "[1]", "[2]"}[g.IntN(3)]
			}
			members = append(members, map[string]string{"name": fmt.Sprintf("m%d", j), "type": typ})
		}
		types[fmt.Sprintf("T%d", i)] = members
	}
	return types
}

func (g generator) hex(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return fmt.Sprintf("0x%x", b)
}

func (g generator) value(types map[string][]map[string]string, typ string, depth int) any {
	if i := strings.LastIndexByte(typ, '['); i >= 0 {
		n := g.IntN(3)
		if size := typ[i+1 : len(typ)-1]; size != "" {
			n = int(size[0] - '0')
		} else if depth > 3 {
			n = 0
		}
		list := []any{}
		for range n {
			list = append(list, g.value(types, typ[:i], depth+1))
		}
		return list
	}
	if members := types[typ]; members != nil {
		object := map[string]any{}
		for _, m := range members {
			object[m["name"]] = g.value(types, m["type"], depth+1)
		}
		return object
	}
	var n int
	switch {
	case typ == "bool":
		return g.IntN(2) == 0
	case typ == "address":
		return g.hex(20)
	case typ == "string":
		return []string{"", "x", "héllo\n\"\x00", strings.Repeat("long ", 40)}[g.IntN(4)]
	case typ == "bytes":
		return g.hex(g.IntN(70))
	case strings.HasPrefix(typ, "bytes"):
		fmt.Sscanf(typ, "bytes%d", &n)
		return g.hex(n)
	case strings.HasPrefix(typ, "uint"):
		fmt.Sscanf(typ, "uint%d", &n)
		return []any{0, 200, g.hex(n / 8), "17"}[g.IntN(4)]
	}
	return []any{0, -128, "127", "-1"}[g.IntN(4)]
}

func (g generator) text(t testing.TB) []byte {
	types := g.types()
	message := g.value(types, "T0", 0)
	domain, members := map[string]any{}, []map[string]string{}
	for _, f := range [][2]string{{"name", "string"}, {"version", "string"}, {"chainId", "uint256"}, {"verifyingContract", "address"}, {"salt", "bytes32"}} {
		if len(members) > 0 && g.IntN(2) == 0 {
			continue
		}
		members = append(members, map[string]string{"name": f[0], "type": f[1]})
		domain[f[0]] = map[string]any{"name": "n", "version": "1", "chainId": g.IntN(1e6), "verifyingContract": g.hex(20), "salt": g.hex(32)}[f[0]]
	}
	g.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
	types["EIP712Domain"] = members
	text, err := json.Marshal(map[string]any{"types": types, "primaryType": "T0", "domain": domain, "message": message})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestCompare: random typed data has the digest that go-ethereum computes, also
// with spaces and its keys in another order, and what is shown tells texts apart.
func TestCompare(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	compared, seen := 0, map[string]string{}
	for range 600 {
		text := g.text(t)
		d, err := typed.Parse(text)
		if err != nil {
			if len(text) > 8000 { // some are too large
				continue
			}
			t.Fatalf("%s: %v", text, err)
		}
		compared++
		want, err := other(text)
		if err != nil || !bytes.Equal(d.Digest, want) {
			t.Fatalf("%s: %x, want %x, %v", text, d.Digest, want, err)
		}
		var loose map[string]any
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		if err := decoder.Decode(&loose); err != nil {
			t.Fatal(err)
		}
		spaced, err := json.MarshalIndent(loose, " ", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if again := parse(t, string(spaced)); !bytes.Equal(again.Digest, d.Digest) || !slices.Equal(again.Fields, d.Fields) {
			t.Fatalf("%s: %+v, spaced %+v", text, d, again)
		}
		shown := fmt.Sprintf("%x %s %q", d.Domain.Separator, d.Type, d.Fields)
		if before, ok := seen[string(d.Digest)]; ok && before != shown {
			t.Fatalf("%s and %s have one digest", before, shown)
		}
		seen[string(d.Digest)] = shown
	}
	if compared < 400 || len(seen) < 300 {
		t.Errorf("%d compared, %d different", compared, len(seen))
	}
}

// TestEveryValueCounts: a change of any shown value changes the digest.
func TestEveryValueCounts(t *testing.T) {
	want := parse(t, authorization).Digest
	for _, change := range [][2]string{
		{`"name":"USDC"`, `"name":"USDD"`}, {`"version":"2"`, `"version":""`}, {"84532", "84533"}, {"0x036CbD53842c5426634e7929541eC2318f3dCF7e", "0x036cbd53842c5426634e7929541ec2318f3dcf7f"},
		{"0x88c45377C7653a3B5e42685cB74835f669D9A546", "0x88c45377c7653a3b5e42685cb74835f669d9a547"}, {"0x220046E3d6561330D4D8F31b18C35EFEfD93eDd2", "0x220046e3d6561330d4d8f31b18c35efefd93edd3"},
		{`"value":1000`, `"value":1001`}, {"1767081774", "1767081775"}, {"1767082674", "1767082675"}, {"66000383e", "66000383f"},
		{`{"name":"value","type":"uint256"}`, `{"name":"value","type":"uint128"}`}, {"validAfter", "validLater"}, {"TransferWithAuthorization", "ReceiveWithAuthorization"},
	} {
		text := strings.ReplaceAll(authorization, change[0], change[1])
		if text == authorization || bytes.Equal(parse(t, text).Digest, want) {
			t.Errorf("%s to %s: no change", change[0], change[1])
		}
	}
}

// TestRecursive: types may refer to themselves and to each other; types that
// are not used change nothing.
func TestRecursive(t *testing.T) {
	const text = `{"types":{"EIP712Domain":[{"name":"name","type":"string"}],%s
		"Z":[{"name":"up","type":"A[]"},{"name":"n","type":"uint8"}],"A":[{"name":"z","type":"Z[]"},{"name":"self","type":"A[]"}]},
		"primaryType":"Z","domain":{"name":"n"},"message":{"n":1,"up":[{"z":[{"n":2,"up":[]}],"self":[{"z":[],"self":[]}]}]}}`
	d := parse(t, fmt.Sprintf(text, ""))
	if d.Type != "Z(A[] up,uint8 n)A(Z[] z,A[] self)" {
		t.Error(d.Type)
	}
	want, err := other(fmt.Appendf(nil, text, ""))
	if err != nil || !bytes.Equal(d.Digest, want) {
		t.Errorf("%x, want %x, %v", d.Digest, want, err)
	}
	if unused := parse(t, fmt.Sprintf(text, `"B":[{"name":"a","type":"A"}],`)); !bytes.Equal(unused.Digest, want) || unused.Type != d.Type {
		t.Error(unused.Type)
	}
}

// widest is what takes most work for its size: each type refers to all others,
// so that each type's hash is one of nearly the whole text, and each is used.
func widest() []byte {
	const n = 21
	name := func(i int) string { return fmt.Sprintf("%s%02d", strings.Repeat("m", 40), i) }
	var types, inner, value []string
	for i := range n {
		var members []string
		for j := range n {
			members = append(members, fmt.Sprintf(`{"name":%q,"type":"T%d[]"}`, name(j), j))
		}
		types = append(types, fmt.Sprintf(`"T%d":[%s]`, i, strings.Join(members, ",")))
		inner = append(inner, fmt.Sprintf(`%q:[]`, name(i)))
	}
	for i := range n {
		value = append(value, fmt.Sprintf(`%q:[{%s}]`, name(i), strings.Join(inner, ",")))
	}
	return fmt.Appendf(nil, `{"types":{"EIP712Domain":[{"name":"name","type":"string"}],%s},"primaryType":"T0","domain":{"name":"n"},"message":{%s}}`,
		strings.Join(types, ","), strings.Join(value, ","))
}

func BenchmarkParse(b *testing.B) {
	for name, text := range map[string][]byte{"permit": []byte(permit), "widest": widest()} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := typed.Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzTyped: whatever comes is refused or read, in bounded time and memory;
// what is read has one digest, and go-ethereum finds the same one if it takes
// the text at all.
func FuzzTyped(f *testing.F) {
	for _, text := range []string{mail, permit, authorization, one("T[2][]", "[]"), one("int8", "-128"), one("string", `"\ud800"`), one("M[]", `[{"f":[]}]`), "{}", strings.Repeat("[", 100)} {
		f.Add([]byte(text))
	}
	g := generator{rand.New(rand.NewPCG(3, 4))}
	for range 10 {
		f.Add(g.text(f))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		start := time.Now()
		d, err := typed.Parse(text)
		if took := time.Since(start); took > 5*time.Second {
			t.Fatalf("%s for %d bytes", took, len(text))
		}
		if err != nil {
			return
		}
		if len(text) > typed.MaxSize || len(d.Digest) != 32 || len(d.Domain.Separator) != 32 || len(d.Fields) > 2048 || !strings.HasPrefix(d.Type, d.Primary+"(") {
			t.Fatalf("%+v", d)
		}
		for _, field := range d.Fields {
			// Without an option of its own it reads numbers as float64.
			if strings.Contains(field.Type, "int") && len(field.Value) > 15 {
				return
			}
		}
		if want, err := other(text); err == nil && !bytes.Equal(d.Digest, want) {
			t.Fatalf("%x, go-ethereum %x", d.Digest, want)
		}
	})
}
