package typed_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/typed"
)

// with is the example of EIP-712 with one passage replaced.
func with(t testing.TB, old, replacement string) string {
	t.Helper()
	if !strings.Contains(mail, old) {
		t.Fatalf("the example has no %s", old)
	}
	return strings.Replace(mail, old, replacement, 1)
}

// one is a text with a single field of a type and a value.
func one(typ, value string) string {
	return fmt.Sprintf(`{"types":{"EIP712Domain":[{"name":"name","type":"string"}],"M":[{"name":"f","type":%q}],"P":[{"name":"x","type":"bool"}]},
		"primaryType":"M","domain":{"name":"n"},"message":{"f":%s}}`, typ, value)
}

func TestRefused(t *testing.T) {
	const contents, domain, primary = `"contents": "Hello, Bob!"`, `"domain": {"name":"Ether Mail",`, `"primaryType": "Mail"`
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "a list": "[]", "a text": `"x"`, "two": mail + mail, "a tail": mail + "x", "cut": mail[:len(mail)-1],
		"byte order mark": "\ufeff" + mail, "a comment": "/**/" + mail, "not UTF-8": with(t, "Bob!", "Bob\xff"),
		"half a surrogate pair": with(t, "Bob!", `Bob\ud83d`), "U+FFFD": with(t, "Bob!", "Bob\ufffd"),

		"no types": with(t, `"types"`, `"typos"`), "Types": with(t, `"types"`, `"Types"`), "more": with(t, `"types"`, `"extra":1,"types"`),
		"no message": with(t, `"message"`, `"massage"`), "message null": strings.Replace(mail, mail[strings.Index(mail, `"message":`):], `"message":null}`, 1),
		"primaryType twice": with(t, primary, primary+","+primary), "no such primaryType": with(t, primary, `"primaryType":"Male"`),
		"array as primaryType": with(t, primary, `"primaryType":"Person[]"`), "primaryType of the domain": with(t, primary, `"primaryType":"EIP712Domain"`),
		"elementary primaryType": with(t, primary, `"primaryType":"string"`), "primaryType a number": with(t, primary, `"primaryType":1`),

		"missing": with(t, `,
		"contents": "Hello, Bob!"`, ""), "unknown": with(t, contents, contents+`,"more":1`), "twice": with(t, contents, contents+","+contents),
		"null contents": with(t, contents, `"contents":null`), "a number for a string": with(t, contents, `"contents":1`), "a list for a string": with(t, contents, `"contents":["x"]`),
		"other case": with(t, contents, `"Contents":"x"`), "missing deep": with(t, `"name":"Cow",`, ""), "a text for a struct": with(t, `{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"}`, `"Cow"`),
		"null for a struct": with(t, `{"name":"Cow","wallet":"0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"}`, `null`),

		"a field twice with one value": strings.Replace(one("bool", "true"), `"M":[`, `"M":[{"name":"f","type":"bool"},`, 1),
		"message of the domain's type": strings.Replace(strings.Replace(one("bool", "true"), `{"f":true}`, `{"name":"n"}`, 1), `"primaryType":"M"`, `"primaryType":"EIP712Domain"`, 1),
		"neither domain nor its type":  strings.Replace(strings.Replace(one("bool", "true"), "EIP712Domain", "Domain", 1), `"domain":{"name":"n"}`, `"domain":{}`, 1),
		"a key not UTF-8":              with(t, contents, contents+",\"a\xff\":1"),
		"no domain type":               with(t, `"EIP712Domain"`, `"EIP712Domains"`), "domain with more": with(t, domain, domain+`"salt":"0x00",`), "domain with less": with(t, `"version":"1",`, ""),
		"empty domain": strings.Replace(with(t, mail[strings.Index(mail, `[{"name":"name"`):strings.Index(mail, `,
		"Person"`)], "[]"), `{"name":"Ether Mail","version":"1","chainId":1,"verifyingContract":"0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"}`, "{}", 1),
		"domain of other types": with(t, `"name":"chainId","type":"uint256"`, `"name":"chainId","type":"uint64"`),
		// The example program that EIP-712 once came with has this field.
		"httpOrigin": strings.Replace(with(t, `{"name":"chainId","type":"uint256"},`, `{"name":"chainId","type":"uint256"},{"name":"httpOrigin","type":"string"},`),
			`"chainId":1,`, `"chainId":1,"httpOrigin":"https://ether-mail.eth",`, 1),
		"chainId negative": with(t, `"chainId":1`, `"chainId":-1`), "chainId null": with(t, `"chainId":1`, `"chainId":null`),

		"a type twice": with(t, `"Person":`, `"Person":[{"name":"x","type":"bool"}],"Person":`), "a field twice": with(t, `{"name":"to","type":"Person"}`, `{"name":"from","type":"Person"}`),
		"an undeclared type": with(t, `{"name":"to","type":"Person"}`, `{"name":"to","type":"People"}`), "no fields": with(t, `"Person":`, `"Nothing":[],"Person":`),
		"fields no list": with(t, `"Person":`, `"Nothing":{},"Person":`), "a field no object": with(t, `"Person":`, `"Nothing":["x"],"Person":`),
		"a field with more": with(t, `{"name":"to","type":"Person"}`, `{"name":"to","type":"Person","x":1}`), "a field without type": with(t, `{"name":"to","type":"Person"}`, `{"name":"to"}`),
		"type a number": with(t, `{"name":"to","type":"Person"}`, `{"name":"to","type":1}`), "name a number": with(t, `{"name":"to","type":"Person"}`, `{"name":1,"type":"Person"}`),
		"types a list": strings.Replace(one("bool", "true"), `"types":{`, `"types":[],"y":{`, 1),
	} {
		if d, err := typed.Parse([]byte(text)); !errors.Is(err, typed.ErrData) || d != nil {
			t.Errorf("%s: %v, %v", name, d, err)
		} else if len(err.Error()) > 400 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
	}
	for _, name := range []string{"", " ", "a b", "1a", "a.b", "a(", "a,b", "é", "uint", "uint256", "uint7", "int", "bytes", "bytes33", "string", "bool", "address", "function", "fixed", "ufixed128x18", strings.Repeat("a", 65)} {
		if _, err := typed.Parse([]byte(with(t, `"Person":`, fmt.Sprintf(`%q:[{"name":"x","type":"bool"}],"Person":`, name)))); !errors.Is(err, typed.ErrData) {
			t.Errorf("a type called %q: %v", name, err)
		}
	}
	for _, name := range []string{"", "a b", "a.b", "a[0]", "1", "é", strings.Repeat("a", 65)} {
		if _, err := typed.Parse([]byte(strings.ReplaceAll(mail, "contents", name))); !errors.Is(err, typed.ErrData) {
			t.Errorf("a field called %q: %v", name, err)
		}
	}
}

// TestValues: what each type takes and refuses; "" stands for a refusal, and
// what is taken is shown in its one form.
func TestValues(t *testing.T) {
	const a, limit = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", "115792089237316195423570985008687907853269984665640564039457584007913129639935"
	for _, c := range []struct{ typ, value, want string }{
		{"bool", "true", "true"}, {"bool", "false", "false"}, {"bool", `"true"`, ""}, {"bool", "1", ""}, {"bool", "null", ""},
		{"string", `""`, ""}, {"string", `"\u00e9"`, "é"}, {"string", "true", ""}, {"string", "{}", ""},
		{"address", `"` + a + `"`, a}, {"address", `"` + strings.ToLower(a) + `"`, a}, {"address", `"0x` + strings.ToUpper(a[2:]) + `"`, a},
		{"address", `"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eb48"`, ""}, {"address", `"` + a[2:] + `"`, ""}, {"address", `"` + a[:41] + `"`, ""}, {"address", `"` + a + `00"`, ""},
		{"address", `"0X` + a[2:] + `"`, ""}, {"address", "0", ""}, {"address", `"0x0"`, ""}, {"address", `""`, ""}, {"address", "null", ""},
		{"bytes", `"0x"`, "0x"}, {"bytes", `"0xAb"`, "0xab"}, {"bytes", `"0xa"`, ""}, {"bytes", `"ab"`, ""}, {"bytes", `""`, ""}, {"bytes", `"0xzz"`, ""}, {"bytes", "[1]", ""}, {"bytes", "1", ""},
		{"bytes1", `"0xff"`, "0xff"}, {"bytes4", `"0x01020304"`, "0x01020304"}, {"bytes4", `"0x010203"`, ""}, {"bytes4", `"0x0102030405"`, ""}, {"bytes4", "1", ""}, {"bytes4", "null", ""},
		{"bytes32", `"0x` + strings.Repeat("ab", 32) + `"`, "0x" + strings.Repeat("ab", 32)}, {"bytes32", `"0x` + strings.Repeat("ab", 31) + `"`, ""}, {"bytes32", `"0x"`, ""},
		{"uint8", "255", "255"}, {"uint8", "256", ""}, {"uint8", "-1", ""}, {"uint8", `"0xff"`, "255"}, {"uint8", `"0x00fF"`, "255"}, {"uint8", `"0x100"`, ""},
		{"uint8", "0", "0"}, {"uint8", `"0"`, "0"}, {"uint8", "-0", ""}, {"uint8", `"-0"`, ""}, {"uint8", `"00"`, ""}, {"uint8", `"007"`, ""}, {"uint8", `"+7"`, ""}, {"uint8", `" 7"`, ""},
		{"uint8", "1.0", ""}, {"uint8", "1e1", ""}, {"uint8", `"1e1"`, ""}, {"uint8", `"0x"`, ""}, {"uint8", `"0X1"`, ""}, {"uint8", `"-0x1"`, ""}, {"uint8", `""`, ""}, {"uint8", "true", ""}, {"uint8", "null", ""},
		{"uint8", "[1]", ""}, {"uint8", `"１"`, ""}, {"uint8", "1_0", ""}, {"uint8", `"1_0"`, ""}, {"uint8", `"ff"`, ""}, {"uint8", "{}", ""},
		{"uint64", "9007199254740993", "9007199254740993"}, {"uint64", "18446744073709551615", "18446744073709551615"}, {"uint64", "18446744073709551616", ""},
		{"uint256", limit, limit}, {"uint256", `"` + limit + `"`, limit}, {"uint256", `"0x` + strings.Repeat("f", 64) + `"`, limit}, {"uint256", limit[:77] + "6", ""},
		{"uint256", `"0x0` + strings.Repeat("f", 64) + `"`, ""}, {"uint256", "1" + strings.Repeat("0", 500), ""}, {"uint256", "1e77", ""},
		{"int8", "-128", "-128"}, {"int8", "-129", ""}, {"int8", "127", "127"}, {"int8", "128", ""}, {"int8", `"0x80"`, ""}, {"int8", `"-1"`, "-1"}, {"int16", `"0xff"`, "255"},
		{"int256", "-57896044618658097711785492504343953926634992332820282019728792003956564819968", "-57896044618658097711785492504343953926634992332820282019728792003956564819968"},
		{"int256", "-57896044618658097711785492504343953926634992332820282019728792003956564819969", ""},
		{"bool[]", "[]", "0"}, {"bool[]", "[true]", "1"}, {"bool[]", "[null]", ""}, {"bool[]", "null", ""}, {"bool[]", "true", ""}, {"bool[]", `{"0":true}`, ""}, {"bool[]", "[1]", ""},
		{"bool[2]", "[true,false]", "2"}, {"bool[2]", "[true]", ""}, {"bool[2]", "[true,false,true]", ""}, {"bool[2]", "[]", ""},
		{"bool[2][]", "[[true,false]]", "1"}, {"bool[2][]", "[[true],[false]]", ""}, {"bool[][2]", "[[],[true]]", "2"}, {"bool[][2]", "[[]]", ""},
		{"P[]", "[]", "0"}, {"P[]", `[{"x":true}]`, "1"}, {"P[]", `[{}]`, ""}, {"P[]", `{"x":true}`, ""}, {"P", `[{"x":true}]`, ""},
		{"uint", "1", ""}, {"int", "1", ""}, {"uint0", "0", ""}, {"uint7", "1", ""}, {"uint264", "1", ""}, {"uint08", "1", ""}, {"int512", "1", ""}, {"uint-8", "1", ""}, {"uint+8", "1", ""},
		{"bytes33", `"0x` + strings.Repeat("ab", 33) + `"`, ""}, {"bytes0", `"0x"`, ""}, {"bytes33", `"0x"`, ""}, {"bytes01", `"0x00"`, ""}, {"Uint8", "1", ""}, {"byte", `"0x00"`, ""}, {"function", `"0x00"`, ""}, {"fixed128x18", "1", ""},
		{"bool[0]", "[]", ""}, {"bool[01]", "[true]", ""}, {"bool[-1]", "[]", ""}, {"bool[", "[]", ""}, {"bool]", "[]", ""}, {"bool[]x", "[]", ""}, {"[]", "[]", ""}, {"[]bool", "[]", ""},
		{"bool []", "[]", ""}, {"bool[1.0]", "[true]", ""}, {" bool", "true", ""}, {"", "true", ""}, {"bool[100000]", "[]", ""}, {"bool" + strings.Repeat("[]", 49), "[]", ""},
		{"M", "{}", ""}, {"M[]", "[]", "0"}, {"M[]", `[{"f":[]}]`, "1"}, {"M[1]", `[{"f":[]}]`, ""},
	} {
		d, err := typed.Parse([]byte(one(c.typ, c.value)))
		switch {
		case c.want == "" && c.value != `""`, c.want == "" && c.typ != "string":
			if !errors.Is(err, typed.ErrData) {
				t.Errorf("%s %.80s: %v, %v", c.typ, c.value, d, err)
			}
		case err != nil || len(d.Fields) == 0 || d.Fields[0].Value != c.want || d.Fields[0].Type != c.typ || d.Fields[0].Path != "f":
			t.Errorf("%s %.80s: %+v, %v", c.typ, c.value, d, err)
		}
	}
}

// TestAddressErrors: a host is told whether an address is wrong, or its checksum.
func TestAddressErrors(t *testing.T) {
	for value, want := range map[string]error{
		`"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eb48"`: chains.ErrChecksum, `"0xA0b8"`: chains.ErrAddress, "1": chains.ErrAddress,
	} {
		if _, err := typed.Parse([]byte(one("address", value))); !errors.Is(err, want) || !errors.Is(err, typed.ErrData) {
			t.Errorf("%s: %v", value, err)
		}
	}
}

// TestBounds: the largest of everything is taken, one more is not.
func TestBounds(t *testing.T) {
	nest := func(n int) string {
		return one("bool"+strings.Repeat("[]", n), strings.Repeat("[", n)+strings.Repeat("]", n))
	}
	list := func(n int) string { return one("bool[]", "["+strings.TrimSuffix(strings.Repeat("true,", n), ",")+"]") }
	types := func(n int) string {
		var b strings.Builder
		for i := range n - 3 { // and the domain, M and P
			fmt.Fprintf(&b, `"T%d":[{"name":"x","type":"bool"}],`, i)
		}
		return strings.Replace(one("bool", "true"), `"types":{`, `"types":{`+b.String(), 1)
	}
	members := func(n int) string {
		var b strings.Builder
		for i := range n - 1 {
			fmt.Fprintf(&b, `{"name":"y%d","type":"bool"},`, i)
		}
		return strings.Replace(one("bool", "true"), `"P":[`, `"P":[`+b.String(), 1)
	}
	size := func(n int) string {
		text := one("string", `""`)
		return strings.Replace(text, `"f":""`, `"f":"`+strings.Repeat("x", n-len(text))+`"`, 1)
	}
	name := func(n int) string {
		return strings.ReplaceAll(one("bool", "true"), `"f"`, `"`+strings.Repeat("f", n)+`"`)
	}
	// Nine structs within each other, eight with names of 60.
	path := func(n int) string {
		var b strings.Builder
		value := `true`
		for i := range 9 {
			name, typ := strings.Repeat("n", 60), "bool"
			if i == 0 {
				name = strings.Repeat("n", n-8*61)
			} else {
				typ = fmt.Sprintf("T%d", i-1)
			}
			fmt.Fprintf(&b, `"T%d":[{"name":%q,"type":%q}],`, i, name, typ)
			value = fmt.Sprintf(`{%q:%s}`, name, value)
		}
		text := strings.Replace(one("bool", "true"), `"types":{`, `"types":{`+b.String(), 1)
		return strings.Replace(strings.Replace(text, `"primaryType":"M"`, `"primaryType":"T8"`, 1), `{"f":true}`, value, 1)
	}
	for _, c := range []struct {
		name string
		make func(int) string
		most int
	}{{"levels", nest, 30}, {"values", list, 2029}, {"types", types, 32}, {"fields", members, 64}, {"bytes", size, typed.MaxSize}, {"bytes of a name", name, 64}, {"bytes of a path", path, 512}} {
		if _, err := typed.Parse([]byte(c.make(c.most))); err != nil {
			t.Errorf("%d %s: %v", c.most, c.name, err)
		}
		if _, err := typed.Parse([]byte(c.make(c.most + 1))); !errors.Is(err, typed.ErrData) {
			t.Errorf("%d %s: %v", c.most+1, c.name, err)
		}
	}
}
