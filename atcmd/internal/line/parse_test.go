package line

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// parsed tells how a line parses.
func parsed(p *Parser, line string) string {
	p.Reset([]byte(line))
	var b strings.Builder
	for {
		cmd, err := p.Next()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			return b.String() + "syntax"
		}
		fmt.Fprintf(&b, "%s %s", cmd.Name, map[Form]string{Exec: "exec", Read: "read", Set: "set", Test: "test"}[cmd.Form])
		for _, a := range cmd.Args {
			switch {
			case a.Kind == Omitted:
				b.WriteString(" -")
			case a.Over:
				b.WriteString(" over")
			case a.Kind == Number:
				fmt.Fprintf(&b, " %d", a.Number)
			default:
				fmt.Fprintf(&b, " %q", a.Text)
			}
			fmt.Fprintf(&b, "@%d", a.Pos)
		}
		if cmd.Many {
			b.WriteString(" many")
		}
		b.WriteString("; ")
	}
}

func TestParser(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"", ""},
		{"   ", ""},
		{"E", "E exec; "},
		{"e1", "E exec 1@4; "},
		{"E0V1Q0X4&C1&D2S0=0", "E exec 0@4; V exec 1@6; Q exec 0@8; X exec 4@10; &C exec 1@13; &D exec 2@16; S0 set 0@20; "},
		{"E0+CMEE=1", "E exec 0@4; +CMEE set 1@11; "},
		{"E0;V1;+CMEE=1;", "E exec 0@4; V exec 1@7; +CMEE set 1@15; "},
		{"S3?S4?", "S3 read; S4 read; "},
		{" S 3 = 1 3 ", "S3 set 13@10; "},
		{"S3", "syntax"},
		{"S3=", "syntax"},
		{"S3=?", "syntax"},
		{"&", "syntax"},
		{"&1", "syntax"},
		{"E?", "E exec; syntax"},
		{"Z0 I3", "Z exec 0@4; I exec 3@7; "},
		{"D123", "D exec 123@4; "},
		{"\\Q3", "syntax"},
		{"5", "syntax"},
		{"=1", "syntax"},
		{"?", "syntax"},
		{"+boatInfo", "+BOATINFO exec; "},
		{"+BO AT IN FO ?", "+BOATINFO read; "},
		{"+X=?", "+X test; "},
		{"+X = ? ;+Y", "+X test; +Y exec; "},
		{"+X=?1", "syntax"},
		{"+X?1", "syntax"},
		{"+X? E1", "syntax"},
		{"+", "+ exec; "},
		{"+X=", "+X set -@6; "},
		{"+X=;+Y", "+X set -@6; +Y exec; "},
		{"+X=,", "+X set -@6 -@7; "},
		{"+X=,,1,", "+X set -@6 -@7 1@8 -@10; "},
		{"+X=1,2,3", "+X set 1@6 2@8 3@10; "},
		{"+X=007", "+X set 7@6; "},
		{"+X=4294967295", "+X set 4294967295@6; "},
		{"+X=4294967296", "+X set over@6; "},
		{"+X=42949672960", "+X set over@6; "},
		{"+X=99999999999999999999999999999999999999999999", "+X set over@6; "},
		{"+X=-1", "syntax"},
		{"+X=1-", "syntax"},
		{"+X=0x10", "syntax"},
		{"+X=1.5", "syntax"},
		{"+X=abc", "syntax"},
		{"+X=1 2 3", "+X set 123@6; "},
		{`+X=""`, `+X set ""@6; `},
		{`+X="a b;c,d?=1"`, `+X set "a b;c,d?=1"@6; `},
		{`+X="a";+Y="b"`, `+X set "a"@6; +Y set "b"@13; `},
		{`+X = "a" , "b" ; +Y`, `+X set "a"@8 "b"@14; +Y exec; `},
		{`+X="a"b`, "syntax"},
		{`+X="a""b"`, "syntax"},
		{`+X="a`, "syntax"},
		{`+X="`, "syntax"},
		{`+X="\22\5c\5C\00"`, `+X set "\"\\\\\x00"@6; `},
		{`+X="a\41b","c\42"`, `+X set "aAb"@6 "cB"@14; `},
		{`+X="\"`, "syntax"},
		{`+X="\4"`, "syntax"},
		{`+X="\4g"`, "syntax"},
		{`+X="\g4"`, "syntax"},
		{`+X="\`, "syntax"},
		{`+X="\4`, "syntax"},
		{`+X="\41`, "syntax"},
		{"+X;;;;;+Y", "+X exec; +Y exec; "},
		{";", ""},
		{"+X:1", "+X:1 exec; "},
		{"^SYSINFO", "^SYSINFO exec; "},
		{"$QCPWRDN", "$QCPWRDN exec; "},
		{"+X=1 +Y", "syntax"},
		{"\xff", "syntax"},
		{"+X=" + strings.Repeat(",", ArgsMax-1), "+X set" + omitted(ArgsMax) + "; "},
		{"+X=" + strings.Repeat(",", ArgsMax), "+X set" + omitted(ArgsMax) + " many; "},
	} {
		if got := parsed(new(Parser), c.line); got != c.want {
			t.Errorf("%q parses as\n     %s\nwant %s", c.line, got, c.want)
		}
	}
}

func omitted(n int) (s string) {
	for i := range n {
		s += fmt.Sprintf(" -@%d", i+6)
	}
	return s
}

// Wipe leaves nothing of a string that was unescaped.
func TestParserForgets(t *testing.T) {
	p := new(Parser)
	parsed(p, `+BOATPIN="s\33cret"`)
	p.Wipe()
	if arena := p.arena[:cap(p.arena)]; bytes.Contains(arena, []byte("cret")) {
		t.Errorf("parser keeps %q", arena)
	}
}

// A parser that is used again gives what a new one gives, and never reads
// beyond the line.
func FuzzParser(f *testing.F) {
	for _, s := range []string{"E0V1", `+X="a\22",1,,;S3?`, "+X=?", `+Y="\`, "&C1;;+Z=99999999999", ` + A = " b " ; `} {
		f.Add(s)
	}
	used := new(Parser)
	f.Fuzz(func(t *testing.T, line string) {
		line = strings.ReplaceAll(line, "\x00", "") // the splitter leaves none
		if len(line) > Max {
			line = line[:Max]
		}
		want := parsed(new(Parser), line)
		if got := parsed(used, line); got != want {
			t.Errorf("used parser: %s\nnew parser: %s", got, want)
		}
	})
}
