package manpage

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/atcmd/boat"
	"github.com/boatd/boatd/internal/config"
)

var built = time.Unix(1767225600, 0)

func commands(t *testing.T) []atcmd.Command {
	t.Helper()
	host := &boat.Host{Items: map[string]string{}, Log: slog.Default()}
	table, err := atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows(), host.Rows())
	if err != nil {
		t.Fatal(err)
	}
	return table.Commands()
}

// pages returns the three pages.
func pages(t *testing.T) map[string]string {
	t.Helper()
	var boatd, toml, at strings.Builder
	own := []Command{
		{"run", "", "run the daemon", nil},
		{"at", "['AT+...']...", "send `AT` commands", []Flag{{"socket", "string", "socket of the daemon"}, {"pin", "", "ask for the PIN. It is not shown"}}},
	}
	for _, err := range []error{
		Boatd(&boatd, built, own, []ExitStatus{{0, "done"}, {4, "`boatd health` failed"}}),
		Config(&toml, built, config.Sections()),
		AT(&at, built, commands(t)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]string{"boatd": boatd.String(), "boatd.toml": toml.String(), "boat-at": at.String()}
}

// TestEverythingIsThere: each page has every row of its table, and the date of the
// build.
func TestEverythingIsThere(t *testing.T) {
	all := pages(t)
	for name, text := range all {
		if !strings.HasPrefix(text, ".Dd January 1, 2026\n.Dt "+strings.ToUpper(name)+" ") {
			t.Errorf("%s begins %q", name, text[:40])
		}
	}
	for _, s := range config.Sections() {
		for _, k := range s.Keys {
			if !strings.Contains(all["boatd.toml"], ".It Cm "+k.Name+"\n") || k.Env != "" && !strings.Contains(all["boatd.toml"], `\fB`+k.Env+`\fP`) {
				t.Errorf("boatd.toml has no %s", k.Name)
			}
		}
	}
	for _, c := range commands(t) {
		for _, form := range []atcmd.Form{atcmd.Exec, atcmd.Read, atcmd.Set} {
			if c.Forms&form != 0 && !strings.Contains(all["boat-at"], "\n"+c.Syntax(form)+"\n") {
				t.Errorf("boat-at has no %s", c.Syntax(form))
			}
		}
	}
	for page, want := range map[string]string{"boatd": ".It Fl -socket Ar string\nSocket of the daemon.\n", "boat-at": ".It Li 7044\nInsufficient funds.\n", "boatd.toml": "(integer, default \\fB115200\\fP)"} {
		if !strings.Contains(all[page], want) {
			t.Errorf("%s has no %q", page, want)
		}
	}
}

// TestHostileTexts: whatever stands in a table is shown and is no markup.
func TestHostileTexts(t *testing.T) {
	p := newPage("x", 1, "y", built)
	head := p.b.Len()
	p.macro("It", "Fl", `a"b\c`, "", "two words", ".")
	p.text(".Sh A `code` with \\fI. Then 'more'. 3 small. Last")
	p.literal(".ig", `back\slash`, "'quote")
	const want = `.It \&Fl a\(dqb\ec "" "two words" \&.
\&.Sh A \fBcode\fP with \efI.
Then 'more'. 3 small.
Last
.Bd -literal -offset indent
\&.ig
back\eslash
\&'quote
.Ed
`
	if got := p.b.String()[head:]; got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
}

func TestCapital(t *testing.T) {
	for in, want := range map[string]string{"": "", "one": "One", "`x` y": "`x` y", "boatd does": "boatd does"} {
		if got := capital(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
