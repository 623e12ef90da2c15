package atcmd

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func row(name string, params ...Param) Command {
	return Command{Name: name, Summary: "a row", Forms: Set, Class: ClassA, Params: params,
		Run: func(context.Context, *Call) error { return nil }}
}

func TestNewTableRefuses(t *testing.T) {
	num := Param{Name: "n", Kind: Number, Max: 1}
	opt := Param{Name: "o", Kind: String, Optional: true}
	rep := Param{Name: "r", Kind: String, Repeat: true}
	with := func(c Command, f func(*Command)) []Command { f(&c); return []Command{c} }
	for _, c := range []struct {
		name string
		rows []Command
	}{
		{"twice", []Command{row("+X"), row("+X")}},
		{"prefix", []Command{row("+BOATKEY"), row("+BOATA"), row("+BOATKEYGEN")}},
		{"the name of urcs", []Command{row("+BOATURC")}},
		{"begins like urcs", []Command{row("+BOATURCS")}},
		{"begins like urcs, shorter", []Command{row("+BOATUR")}},
		{"ok in a name", []Command{row("+BOATTOKEN")}},
		{"ring in a name", []Command{row("+BOATSTRING")}},
		{"lower case", []Command{row("+boatx")}},
		{"empty name", []Command{row("")}},
		{"two commands", []Command{row("E1")}},
		{"bad register", []Command{row("S")}},
		{"space in a name", []Command{row("+BOAT X")}},
		{"no function", with(row("+X"), func(c *Command) { c.Run = nil })},
		{"no summary", with(row("+X"), func(c *Command) { c.Summary = "" })},
		{"no form", with(row("+X"), func(c *Command) { c.Forms = 0 })},
		{"no class", with(row("+X"), func(c *Command) { c.Class = 'D' })},
		{"abort in class c", with(row("+X"), func(c *Command) { c.Abort, c.Class = true, ClassC })},
		{"optional first", []Command{row("+X", opt, num)}},
		{"repeat first", []Command{row("+X", rep, rep)}},
		{"range", []Command{row("+X", Param{Name: "n", Kind: Number, Min: 2, Max: 1})}},
		{"length", []Command{row("+X", Param{Name: "n", Kind: String, Min: 2, Max: 1})}},
		{"parameter without name", []Command{row("+X", Param{})}},
		{"parameter name", []Command{row("+X", Param{Name: "RING"})}},
		{"long test line", []Command{row("+X", Param{Name: strings.Repeat("n", 120), Kind: String})}},
		{"result code among values", []Command{row("+X", Param{Name: "n", Kind: String, Values: []string{"BUSY"}})}},
	} {
		if _, err := NewTable(c.rows); !errors.Is(err, ErrTable) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSyntaxAndTestLine(t *testing.T) {
	long := []string{strings.Repeat("a", 60), strings.Repeat("b", 60)}
	for _, c := range []struct {
		row        Command
		form       Form
		want, test string
	}{
		{row("+BOATX"), Exec, "AT+BOATX", ""},
		{row("+BOATX"), Read, "AT+BOATX?", ""},
		{row("+BOATX"), Test, "AT+BOATX=?", ""},
		{row("E", Param{Name: "value", Max: 1, Optional: true}), Exec, "ATE[<value>]", "E: [(0-1)]"},
		{row("S3", Param{Name: "value", Max: 127}), Set, "ATS3=<value>", "S3: (0-127)"},
		{row("+BOATSEND", Param{Name: "wallet", Kind: Name}, Param{Name: "amount", Kind: String}, Param{Name: "asset", Kind: String, Optional: true}), Set,
			`AT+BOATSEND="<wallet>","<amount>"[,"<asset>"]`, `+BOATSEND: "wallet","amount"[,"asset"]`},
		{row("+BOATCALL", Param{Name: "arg", Kind: String, Optional: true, Repeat: true}), Set,
			`AT+BOATCALL=["<arg>"...]`, `+BOATCALL: ["arg"]...`},
		{row("+BOATGEN", Param{Name: "n", Min: 3, Max: 3}, Param{Name: "curve", Kind: String, Values: []string{"p", "q"}}), Set,
			`AT+BOATGEN=<n>,"<curve>"`, `+BOATGEN: (3),("p","q")`},
		{row("+BOATGEN", Param{Name: "curve", Kind: String, Values: long}), Set, `AT+BOATGEN="<curve>"`, `+BOATGEN: "curve"`},
	} {
		if got := c.row.Syntax(c.form); got != c.want {
			t.Errorf("syntax %s, want %s", got, c.want)
		}
		if got := c.row.TestLine(); got != c.test {
			t.Errorf("test line %s, want %s", got, c.test)
		}
		if err := c.row.check(); err != nil {
			t.Errorf("%s: %v", c.row.Name, err)
		}
	}
}

// Rows of this package keep their names, forms and parameters for ever.
func TestRowsGolden(t *testing.T) {
	table, err := NewTable(StandardRows(), ChannelRows())
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, c := range table.Commands() {
		for _, f := range []Form{Exec, Read, Set} {
			if c.Forms&f != 0 {
				got.WriteString(c.Syntax(f) + " " + string(c.Class) + "\n")
			}
		}
	}
	const want = `ATE[<value>] A
ATV[<value>] A
ATQ[<value>] A
ATX[<value>] A
AT&C[<value>] A
AT&D[<value>] A
ATS0? A
ATS0=<value> A
ATS3? A
ATS3=<value> A
ATS4? A
ATS4=<value> A
ATS5? A
ATS5=<value> A
AT+CMEE? A
AT+CMEE=<value> A
ATZ[<profile>] A
AT&F[<profile>] A
AT&W[<profile>] B
ATH[<profile>] A
AT+CGMI A
AT+GMI A
AT+CGMM A
AT+GMM A
AT+CGMR A
AT+GMR A
AT+CGSN A
AT+GSN A
ATI[<value>] A
AT+GCAP A
AT+CLAC A
AT+IPR? A
AT+IPR=<rate> A
AT+ICF? A
AT+ICF=<format>[,<parity>] A
AT+IFC? A
AT+IFC=<by_host>[,<by_boatd>] A
AT+CFUN? A
AT+CCLK? A
AT+BOATCFG? B
AT+BOATCFG="<name>",<value> B
AT+BOATERR? A
AT+BOATLOCK A
AT+BOATDATAWR=<slot>,<length> A
AT+BOATDATAHX=<slot>,<offset>,"<hex>" A
AT+BOATDATARD=<slot>,<offset>,<length> A
AT+BOATDATALST? A
AT+BOATDATADEL=<slot> A
`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}
