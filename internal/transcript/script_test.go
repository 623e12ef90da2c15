package transcript

import (
	"reflect"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	const text = "what\n\n-- config --\na = 1\n-- config two --\n-- script --\n> AT\n\n< OK\n-- file x --\n-- no\n"
	tr, err := Parse("t.txtar", text)
	if err != nil {
		t.Fatal(err)
	}
	if tr.Comment != "what\n\n" || tr.Section("config").Text != "a = 1\n" || tr.Section("config two").Text != "" ||
		tr.Section("file x").Text != "-- no\n" || tr.Section("none") != nil || len(tr.steps) != 3 || tr.steps[2].line != 9 {
		t.Errorf("%+v", tr)
	}
	if tr.String() != text {
		t.Errorf("written again it is %q", tr)
	}
	for name, text := range map[string]string{
		"no script":     "a\n-- config --\n",
		"section twice": "-- script --\n-- script --\n",
		"not a step":    "-- script --\nAT\n",
		"no space":      "-- script --\n>AT\n",
		"bad channel":   "-- script --\n@a/b > AT\n",
		"not quoted":    "-- script --\n>= AT\n",
		"bad pattern":   "-- script --\n< {a=(}\n",
		"empty pattern": "-- script --\n< {a=}\n",
		"no word":       "-- script --\n!\n",
	} {
		if _, err := Parse("t.txtar", text); err == nil || !strings.HasPrefix(err.Error(), "t.txtar:") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, line string
		known         map[string]string
		ok            bool
		after         map[string]string
	}{
		{"OK", "OK", nil, true, nil},
		{"OK", "OKAY", nil, false, nil},
		{"O.", "OK", nil, false, nil},
		{"{a=int}", "007", nil, true, map[string]string{"a": "007"}},
		{"{a=int}", "", nil, false, nil},
		{"{a=x{3}},{b=[^,]*}", "xxx,", nil, true, map[string]string{"a": "xxx", "b": ""}},
		{"{a}", "1+1", map[string]string{"a": "1+1"}, true, nil},
		{"{a}", "11", map[string]string{"a": "1+1"}, false, nil},
		{"{A}", "{A}", nil, true, nil},
		{"{", "{", nil, true, nil},
		{"{a=1|2}3", "23", nil, true, map[string]string{"a": "2"}},
		{"{ab*3}", "ababab", nil, true, nil},
		{"{_=int} {_=int}", "1 2", nil, true, map[string]string{"_": "1"}},
		{"{h=hash}", strings.Repeat("ab", 32), nil, true, nil},
		{"{h=address}", "0x" + strings.Repeat("aB", 20), nil, true, nil},
	} {
		p, err := compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]string{}
		for k, v := range c.known {
			known[k] = v
		}
		ok, err := p.match(c.line, known)
		if ok != c.ok || err != nil {
			t.Errorf("%q on %q: %v, %v", c.pattern, c.line, ok, err)
		}
		for k, v := range c.after {
			if known[k] != v {
				t.Errorf("%q on %q: {%s} is %q", c.pattern, c.line, k, known[k])
			}
		}
	}
}

func TestUses(t *testing.T) {
	for line, want := range map[string][]Use{
		"AT":                         nil,
		"ATE0V1Q0X4&C1&D2S0=0":       {{"E", ""}, {"V", ""}, {"Q", ""}, {"X", ""}, {"&C", ""}, {"&D", ""}, {"S0", "="}},
		"ATS3?;S4?":                  {{"S3", "?"}, {"S4", "?"}},
		"AT+BOATPIN?;+BOATPIN=?":     {{"+BOATPIN", "?"}, {"+BOATPIN", "=?"}},
		`at+boatsend="a;b","";E1`:    {{"+BOATSEND", "="}, {"E", ""}},
		"ATE0+CMEE=1":                {{"E", ""}, {"+CMEE", "="}},
		"AT+BOATOFF ; +BOATOFF":      {{"+BOATOFF", ""}, {"+BOATOFF", ""}},
		"what":                       nil,
		"AT!":                        nil,
		`AT+BOATPIN="12";+BOATLOCK;`: {{"+BOATPIN", "="}, {"+BOATLOCK", ""}},
	} {
		if got := Uses(line); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %v, want %v", line, got, want)
		}
	}
}

func TestReading(t *testing.T) {
	tr, err := Parse("t.txtar", script(`> AT+A=1
< +A: {n=int}
< +BOATURC: 1,"tx",1,1,0
< OK
@local > AT+B?
> AT+C
@local < +B: 1
< +CME ERROR: 50
@local < OK
@local < +BOATURC: {s=int},"alarm",7042,"dev"
>= "ATV0\r"
<= "0\r"

#: +A
# First.
> AT+A={n}
< +A: {n},"{h=hash}"
! mine 3
@local <= "\r\nOK\r\n"

> AT+B?
< +B: 2
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Exchange{
		{3, "AT+A=1", []string{"+A: {n=int}"}, "OK"},
		{7, "AT+B?", []string{"+B: 1"}, "OK"},
		{8, "AT+C", nil, "+CME ERROR: 50"},
		{13, "ATV0", []string{"0\r"}, ""},
		{18, "AT+A={n}", []string{`+A: {n},"{h=hash}"`}, ""},
		{23, "AT+B?", []string{"+B: 2"}, ""},
	}
	if got := tr.Exchanges(); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if got := tr.Unsolicited(); len(got) != 2 || !strings.Contains(got[1], "7042") {
		t.Errorf("%q", got)
	}
	excerpts := []Excerpt{{"+A", []string{"(First.)", "AT+A=<n>", `+A: <n>,"<h>"`, "(mine 3)", "OK"}}}
	if got := tr.Excerpts(); !reflect.DeepEqual(got, excerpts) {
		t.Errorf("%+v", got)
	}
}

// FuzzParse: no text is more than a transcript or an error, and what was read
// is written as it was.
func FuzzParse(f *testing.F) {
	f.Add("a\n-- script --\n> AT{a*3}\n< {b=int}{c}\n@x >= \"\\r\"\n! mine 1\n#: +A\n-- config --\nx")
	f.Add("-- script --\n< {a=x{2}\n")
	f.Fuzz(func(t *testing.T, text string) {
		tr, err := Parse("f", text)
		if err != nil {
			return
		}
		again, err := Parse("f", tr.String())
		if err != nil || again.String() != tr.String() {
			t.Errorf("%q became %q, and that %q (%v)", text, tr, again, err)
		}
		tr.Excerpts()
		for _, e := range tr.Exchanges() {
			Uses(e.Sent)
		}
	})
}
