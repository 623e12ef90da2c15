package config

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"a", "", 1}, {"level", "level", 0}, {"levle", "level", 1}, {"lvel", "level", 1},
		{"leevel", "level", 1}, {"lexel", "level", 1}, {"format", "level", 6}, {"ab", "ba", 1}, {"abc", "ca", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("distance(%q, %q) = %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

func TestNearest(t *testing.T) {
	names := []string{"level", "format", "target"}
	for name, want := range map[string]string{
		"levle": "level", "formt": "format", "x": "", "": "", "tg": "", strings.Repeat("level", 20): "",
	} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestChecks(t *testing.T) {
	long := strings.Repeat("a", 64)
	for _, tt := range []struct {
		name  string
		check func(any) *fault
		good  []any
		bad   []any
	}{
		{"name", nameCheck,
			[]any{"a", "w0", "A.b_c-9", "0123456789abcdef", "ok", "Error", "nocarrier"},
			[]any{"", "0123456789abcdefg", "a b", "é", "OK", "aOKb", "xERROR", "BUSY1", "RINGO", "CONNECTED", "a\"", "a,b"}},
		{"host", hostName,
			[]any{"localhost", "a.b-c.d_e", "10.0.0.1", "::1", "xn--bcher-kva.example"},
			[]any{"", "A.example", "a..b", ".", "a.", "-a", "a:1", "[::1]", "https://a", "a/b", "u@a", long + ".example", strings.Repeat("a.", 130)}},
		{"prefix", prefix,
			[]any{"0.0.0.0/0", "10.1.2.3/32", "fd00::/8"},
			[]any{"", "10.0.0.0", "10.0.0.0/33", "10.0.0.1/8", "::ffff:10.0.0.0/104", "x/8"}},
		{"store", storeURI,
			[]any{"soft:", "tpm:/dev/tpmrm0", "pkcs11:?module=/x&slot=0", "tee:"},
			[]any{"", "soft", "soft:x", "SOFT:", "file:/x", ":"}},
		{"path", absolute,
			[]any{"/a", "/dev/ttyHS0"},
			[]any{"", "a", "/", "/a/", "/a//b", "/a/./b", "/a/../b", "~/a"}},
		{"baud", baudRate,
			[]any{int64(1200), int64(115200), int64(921600), int64(4000000)},
			[]any{int64(0), int64(-1), int64(115201), int64(1 << 40), int64(-1 << 63)}},
		{"coin", coin,
			[]any{"0", "1", "0.1ether", "200gwei", "1wei"},
			[]any{"-1", "1.5", "1e18", "1 ether", "0.1wei", "ether", "1whole", strings.Repeat("9", 79)}},
		{"address", address,
			[]any{"0x71562b71999873DB5b286dF957af199Ec94617F7", "lat1ls87d3mqfhxadjsmn0ns844tj8ljlsq8uqnv8u", "Org1MSP/ab:cd"},
			[]any{"", "a b", "a,b", `a"b`, "é", "a\n", strings.Repeat("a", 129)}},
	} {
		for _, v := range tt.good {
			if f := tt.check(v); f != nil {
				t.Errorf("%s: %v: %s", tt.name, v, f.text)
			}
		}
		for _, v := range tt.bad {
			if f := tt.check(v); f == nil {
				t.Errorf("%s: %v is accepted", tt.name, v)
			}
		}
	}
}

// TestDefaultsPassTheirChecks: a value that is written as its default is not
// checked, so nothing else would show a default that is wrong.
func TestDefaultsPassTheirChecks(t *testing.T) {
	for _, r := range rows {
		if r.check == nil || literal(r.def) == `""` {
			continue
		}
		if f := r.check(r.def); f != nil {
			t.Errorf("%s: %s", r.full(), f.text)
		}
	}
}

func TestKeys(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Keys() {
		if k.Summary == "" || k.Type == "" || k.Default == "" || seen[k.Env] {
			t.Errorf("%+v is incomplete or there twice", k)
		}
		seen[k.Env] = true
		_, ps := Load("", nil, map[string]string{k.Name: strings.Trim(strings.ReplaceAll(k.Default, `", "`, ","), `[]"`)}, protocols())
		if ps.Failed() {
			t.Errorf("the default of %s, given as a flag: %s", k.Name, ps)
		}
	}
	if !seen["BOATD_STATE_DIR"] || !seen["BOATD_LOG_LEVEL"] || len(seen) < 20 {
		t.Errorf("keys are missing: %v", seen)
	}
}

// TestOutline: lines and paths of every way that TOML has to write a table.
func TestOutline(t *testing.T) {
	o := outlineOf([]byte(`a = 1
b.c = """
x
""" # two lines on

[t] # head
x = [
  1,
  2,
]
"q.r" = 1
[[e]]
n = 1
[e.sub]
m = {k = 1, l = {z = 2}}
[[e]]
n = [{a = 1}, {a = 2}]
[[e.deep]]
n = 1
[[e.deep]]
n = 2
`))
	want := []entry{
		{"a", 1, false}, {"b.c", 2, false}, {"t", 6, true}, {"t.x", 7, false}, {`t."q.r"`, 11, false},
		{"e[0]", 12, true}, {"e[0].n", 13, false}, {"e[0].sub", 14, true}, {"e[0].sub.m", 15, true},
		{"e[0].sub.m.k", 15, false}, {"e[0].sub.m.l", 15, true}, {"e[0].sub.m.l.z", 15, false},
		{"e[1]", 16, true}, {"e[1].n[0]", 17, true}, {"e[1].n[0].a", 17, false}, {"e[1].n[1]", 17, true}, {"e[1].n[1].a", 17, false},
		{"e[1].deep[0]", 18, true}, {"e[1].deep[0].n", 19, false}, {"e[1].deep[1]", 20, true}, {"e[1].deep[1].n", 21, false},
	}
	for i, e := range o.entries {
		if i >= len(want) || e != want[i] {
			t.Errorf("entry %d is %+v", i, e)
		}
	}
	if len(o.entries) != len(want) || o.repeat != nil {
		t.Errorf("%d entries, repeat %v", len(o.entries), o.repeat)
	}
}
