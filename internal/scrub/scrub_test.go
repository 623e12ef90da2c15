package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	key := strings.Repeat("a7c3e1", 11)[:64]
	known := New("Zx81pinZx", "v3", "0123456789abcdef")
	for in, want := range map[string]string{
		"":              "",
		"nothing in it": "nothing in it",
		"post https://user:word@rpc.example.org/v3/0123456789abcdef?key=5ecret: EOF": "post https://rpc.example.org EOF",
		`"wss://h.example:8546/x"`:                          `"wss://h.example:8546"`,
		"key " + key + ".":                                  "key [64 hex digits].",
		"0x" + strings.ToUpper(key):                         "[64 hex digits]",
		"to 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F":     "to 0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F",
		"9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F":          "[40 hex digits]",
		"the pin Zx81pinZx":                                 "the pin [secret]",
		"5a78383170696e5a78":                                "[secret]",
		"Zx81pinZ":                                          "Zx81pinZ",
		"0x0123456789abcdef is known":                       "0x[secret] is known",
		"v3 is too short to be looked for":                  "v3 is too short to be looked for",
		base64.StdEncoding.EncodeToString([]byte(key[:32])): "[44 characters]",
		"key q83/7wEjRWeJq83vASNFZ4mrze8BI0VniavN/7wBI0U.":  "key [43 characters].",
		"/usr/lib/systemd/system/multiuser/wants/of/boatd":  "/usr/lib/systemd/system/multiuser/wants/of/boatd",
	} {
		if got := known.Text(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
}

func TestWords(t *testing.T) {
	got := strings.Join(Words("https://user:word@rpc.example.org/v3/0123?key=5ecret"), " ")
	if got != "v3 0123 5ecret user word" {
		t.Errorf("%q", got)
	}
	if w := Words("%zz"); w != nil {
		t.Errorf("%q", w)
	}
}

func TestHost(t *testing.T) {
	for in, want := range map[string]string{"https://a:b@c:1/d?e#f": "https://c:1", "nothing": "[url]", "https://%zz": "[url]", "x://": "[url]"} {
		if got := Host(in); got != want {
			t.Errorf("%q is %q", in, got)
		}
	}
}

// FuzzText: whatever is around it, a known secret does not come out, in any form,
// and neither does a key in hex.
func FuzzText(f *testing.F) {
	f.Add("before ", " after")
	f.Add("https://h/", "/x")
	f.Add("0x", "00")
	f.Add("\xff://", "\"")
	const secret = "Zx81pinZx"
	key := strings.Repeat("a7c3e1", 11)[:64]
	c := New(secret)
	forms := []string{secret, hex.EncodeToString([]byte(secret)), base64.StdEncoding.EncodeToString([]byte(secret)), key}
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, form := range forms {
			if strings.Contains(before, form) || strings.Contains(after, form) {
				continue
			}
			if got := c.Text(before + form + after); strings.Contains(got, form) {
				t.Errorf("%q has %q in it", got, form)
			}
		}
	})
}
