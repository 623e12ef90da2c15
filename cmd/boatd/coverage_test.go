//go:build !arm

package main

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/transcript"
)

// exchanges returns what is typed and answered in all transcripts.
func exchanges(t *testing.T) []transcript.Exchange {
	t.Helper()
	var all []transcript.Exchange
	for _, tr := range transcripts(t) {
		all = append(all, tr.Exchanges()...)
	}
	return all
}

// neverOK are forms that cannot succeed when boatd is the whole parser.
var neverOK = map[transcript.Use]string{
	{Name: "+CGSN", Form: ""}: "the serial number is the modem's",
	{Name: "+GSN", Form: ""}:  "the serial number is the modem's",
}

var formTexts = map[atcmd.Form]string{atcmd.Exec: "", atcmd.Read: "?", atcmd.Set: "=", atcmd.Test: "=?"}

// forms returns the forms in which a host can write a command.
func forms(c *atcmd.Command) []transcript.Use {
	var all []transcript.Use
	for form, text := range formTexts {
		test := form == atcmd.Test && strings.HasPrefix(c.Name, "+")
		if c.Forms&form != 0 || test {
			all = append(all, transcript.Use{Name: c.Name, Form: text})
		}
	}
	return all
}

// TestEveryFormHasATranscript: each form of each command succeeds in one.
func TestEveryFormHasATranscript(t *testing.T) {
	seen := map[transcript.Use]bool{}
	for _, e := range exchanges(t) {
		for _, use := range transcript.Uses(e.Sent) {
			seen[use] = seen[use] || e.Result == "OK"
		}
	}
	table, err := tableOfCommands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Commands() {
		for _, use := range forms(&c) {
			switch why := neverOK[use]; {
			case why == "" && !seen[use]:
				t.Errorf("AT%s%s succeeds in no transcript", use.Name, use.Form)
			case why != "" && seen[use]:
				t.Errorf("AT%s%s succeeds, although %s", use.Name, use.Form, why)
			}
		}
	}
}

// TestEveryLockIsTried: each command that needs the PIN is refused in a
// transcript where a channel is locked, and where the PIN is blocked.
func TestEveryLockIsTried(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range exchanges(t) {
		for _, use := range transcript.Uses(e.Sent) {
			seen[use.Name+" "+e.Result] = true
		}
	}
	table, err := tableOfCommands()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range table.Commands() {
		for _, code := range []string{"7001", "7002"} {
			if c.PIN && !seen[c.Name+" +CME ERROR: "+code] {
				t.Errorf("no transcript shows that AT%s is refused with %s", c.Name, code)
			}
		}
	}
}

// unprovoked are codes that no host can provoke over a terminal in this build.
var unprovoked = map[int]string{
	7005: "lasts milliseconds; TestStarting shows it",
	7048: "only networks that endorse have it",
	7050: "a signature that is not good is an answer, 0; proofs are not in this build",
	7070: "payments are not in this build",
	7071: "payments are not in this build",
	7099: "a fault of boatd itself",
}

// codeShapes are where the codes of answers, of BOATERR and of transactions
// stand.
var codeShapes = []*regexp.Regexp{
	regexp.MustCompile(`^\+CME ERROR: ([0-9]+)$`),
	regexp.MustCompile(`^\+BOATERR: ([0-9]+),`),
	regexp.MustCompile(`^\+BOAT(?:TXGET|TXWAI|TXLST): [0-9]+,[0-9],([0-9]+),`),
	regexp.MustCompile(`^\+BOATURC: [^,]+,"tx",[0-9]+,[0-9],([0-9]+)`),
	regexp.MustCompile(`^\+BOATURC: [^,]+,"alarm",([0-9]+),`),
}

// TestEveryCodeHasATranscript: each code that a host can provoke is provoked.
func TestEveryCodeHasATranscript(t *testing.T) {
	var lines []string
	for _, e := range exchanges(t) {
		lines = append(append(lines, e.Got...), e.Result)
	}
	for _, tr := range transcripts(t) {
		lines = append(lines, tr.Unsolicited()...)
	}
	var seen []int
	for _, line := range lines {
		for _, shape := range codeShapes {
			if m := shape.FindStringSubmatch(line); m != nil {
				code, _ := strconv.Atoi(m[1])
				seen = append(seen, code)
			}
		}
	}
	for code := range 10000 {
		provoked, why := slices.Contains(seen, code), unprovoked[code]
		switch known := atcmd.CodeText(code) != ""; {
		case known && !provoked && why == "":
			t.Errorf("no transcript provokes code %d (%s)", code, atcmd.CodeText(code))
		case provoked && why != "":
			t.Errorf("code %d is provoked, although %s", code, why)
		case why != "" && !known, provoked && !known && code != 0:
			t.Errorf("%d is not a code", code)
		}
	}
}
