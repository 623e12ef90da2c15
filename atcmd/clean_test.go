package atcmd

import (
	"errors"
	"strings"
	"testing"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 60, ""},
		{"plain text 0.1_:/()-", 60, "plain text 0.1_:/()-"},
		{"OK ERROR", 60, "ok error"},
		{"a\r\nOK\r\n\"b\"", 60, "a__ok___b_"},
		{"1,2;3", 60, "1_2_3"},
		{"\u00e9\x00\x7f\xff", 60, "_____"},
		{strings.Repeat("a", 61), 60, strings.Repeat("a", 60)},
		{"abc", 0, ""},
		{"{}[]<>@\\|~`'!?*&^%$#=+", 60, strings.Repeat("_", 22)},
	} {
		if got := Clean(c.in, c.max); got != c.want {
			t.Errorf("Clean(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("NO CARRIER\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		got := Clean(in, 60)
		if strings.ContainsAny(got, "\r\n\"ABCDEFGHIJKLMNOPQRSTUVWXYZ") || len(got) > 60 || got != Clean(got, 60) {
			t.Errorf("Clean(%q) = %q", in, got)
		}
		if err := checkLine([]byte(got), infoMax); err != nil {
			t.Errorf("Clean(%q) = %q: %v", in, got, err)
		}
	})
}

func TestCheckName(t *testing.T) {
	for _, c := range []struct {
		name string
		code int
	}{
		{"w0", 0}, {"A-Z.a_z-09", 0}, {"abcdefghijklmnop", 0}, {"ok", 0}, {"Ring", 0}, {"O.K", 0},
		{"", 50}, {"abcdefghijklmnopq", 24},
		{"a b", 25}, {"a\"b", 25}, {"a;b", 25}, {"\u00e9", 25}, {"a/b", 25}, {"@1", 25},
		{"OK", 25}, {"BOOK", 25}, {"STRING", 25}, {"xERRORx", 25}, {"BUSY", 25}, {"CONNECTED", 25},
	} {
		err := CheckName(c.name)
		var e *Error
		if got := errors.As(err, &e); got != (c.code != 0) || got && e.Code != c.code {
			t.Errorf("CheckName(%q) = %v, want code %d", c.name, err, c.code)
		}
	}
}

func TestCheckLine(t *testing.T) {
	for _, w := range forbidden {
		if checkLine([]byte("+BOATX: \"a"+string(w)+"b\""), infoMax) == nil {
			t.Errorf("line with %q passes", w)
		}
	}
	fits := strings.Repeat("x", infoMax-4)
	if err := checkLine([]byte(fits), infoMax); err != nil {
		t.Errorf("line of %d bytes: %v", len(fits), err)
	}
	if err := checkLine([]byte(fits+"x"), infoMax); !errors.Is(err, errTooLong) {
		t.Errorf("line of %d bytes: %v", len(fits)+1, err)
	}
	for _, b := range []string{"\r", "\n", "\x00", "\x7f", "\x80", "\t"} {
		if err := checkLine([]byte("a"+b), infoMax); !errors.Is(err, errUnprintable) {
			t.Errorf("line with %q: %v", b, err)
		}
	}
}

// The texts are part of the interface: this list may grow and never change.
func TestCodeTexts(t *testing.T) {
	const codes = "3 4 14 16 20 22 23 24 25 30 31 50 52 100 7001 7002 7003 7004 7005 7010 7011 7012 7013 7014 7015 7016 7017 7018 " +
		"7020 7021 7022 7030 7031 7032 7033 7034 7040 7041 7042 7043 7044 7045 7046 7047 7048 7049 7050 7060 7061 7062 7070 7071 7090 7099"
	if got, want := len(codeTexts), len(strings.Fields(codes)); got != want {
		t.Errorf("%d codes, want %d", got, want)
	}
	seen := make(map[string]int)
	for code, text := range codeTexts {
		if err := checkLine([]byte(text), infoMax-len("+CME ERROR: ")); err != nil || text != strings.ToLower(text) || text == "" {
			t.Errorf("text of %d: %q: %v", code, text, err)
		}
		if other, twice := seen[text]; twice {
			t.Errorf("%d and %d have the same text %q", code, other, text)
		}
		seen[text] = code
	}
	for code, want := range map[int]string{3: "operation not allowed", 16: "incorrect password", 50: "incorrect parameters",
		7001: "locked", 7044: "insufficient funds", 7099: "internal"} {
		if got := CodeText(code); got != want {
			t.Errorf("text of %d is %q, want %q", code, got, want)
		}
	}
	if got := CodeText(7998); got != "" {
		t.Errorf("text of no code is %q", got)
	}
}

func TestErrorText(t *testing.T) {
	cause := errors.New("disk on fire")
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{Fail(23, cause), "code 23 (memory failure): disk on fire"},
		{FailArg(50, 2, nil), "code 50 (incorrect parameters)"},
		{&Error{Code: 7041, Detail: "said no", Err: cause}, "code 7041 (node refused): said no"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if !errors.Is(Fail(23, cause), cause) {
		t.Error("Fail hides its cause")
	}
}
