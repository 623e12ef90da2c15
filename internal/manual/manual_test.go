package manual

import (
	"errors"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/atcmd/boat"
	"github.com/boatd/boatd/internal/transcript"
)

var update = flag.Bool("update", false, "write docs/at-manual.md anew")

const golden = "../../docs/at-manual.md"

// commands is the table of the daemon, which nobody calls.
func commands(t *testing.T) *atcmd.Table {
	t.Helper()
	host := &boat.Host{Items: map[string]string{}, Log: slog.Default()}
	table, err := atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows(), host.Rows())
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func played(t *testing.T) []*transcript.Transcript {
	t.Helper()
	paths, err := filepath.Glob("../../cmd/boatd/testdata/transcripts/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	var all []*transcript.Transcript
	for _, path := range paths {
		tr, err := transcript.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, tr)
	}
	return all
}

// TestManual: the manual in docs is the one of this command table and these
// transcripts.
func TestManual(t *testing.T) {
	var b strings.Builder
	if err := Write(&b, commands(t), played(t)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is out of date: run go test ./internal/manual -update", golden)
	}
}

// TestEverythingIsThere: each command has its heading, its syntax and its
// example in the manual.
func TestEverythingIsThere(t *testing.T) {
	var b strings.Builder
	table := commands(t)
	if err := Write(&b, table, played(t)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, c := range table.Commands() {
		if n := strings.Count(text, "\n### AT"+c.Name+"\n"); n != 1 {
			t.Errorf("AT%s has %d headings", c.Name, n)
		}
		for _, form := range []atcmd.Form{atcmd.Exec, atcmd.Read, atcmd.Set} {
			if c.Forms&form != 0 && !strings.Contains(text, "    "+c.Syntax(form)+"\n") {
				t.Errorf("%s is missing", c.Syntax(form))
			}
		}
	}
	for _, want := range []string{"| 7044 | insufficient funds |", "*class C · PIN · not repeated by A/*", "*its own time · can be aborted*", "| `slot` | number from 0 to 7 |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestGaps: a command without an example or a note, and an example without a
// command, are errors.
func TestGaps(t *testing.T) {
	var b strings.Builder
	table := commands(t)
	if err := Write(&b, table, nil); !errors.Is(err, errExample) {
		t.Errorf("without transcripts: %v", err)
	}
	extra, err := transcript.Parse("x", "-- script --\n#: +NOSUCH\n> AT+NOSUCH\n< OK\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, table, append(played(t), extra)); !errors.Is(err, errExample) {
		t.Errorf("an example of no command: %v", err)
	}
	worked, err := transcript.Parse("x", "-- script --\n#: example Nothing\n> AT\n< OK\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, table, append(played(t), worked)); !errors.Is(err, errExample) {
		t.Errorf("a worked example without a text: %v", err)
	}
	if err := Write(&b, table, slices.DeleteFunc(played(t), func(t *transcript.Transcript) bool { return strings.HasSuffix(t.Path, "things.txtar") })); !errors.Is(err, errExample) {
		t.Errorf("a text without a worked example: %v", err)
	}
	row := atcmd.Command{Name: "+BOATNEW", Summary: "new", Forms: atcmd.Exec, Class: atcmd.ClassA, Run: table.Commands()[0].Run}
	wider, err := atcmd.NewTable(table.Commands(), []atcmd.Command{row})
	if err != nil {
		t.Fatal(err)
	}
	example, err := transcript.Parse("x", "-- script --\n#: +BOATNEW\n> AT+BOATNEW\n< OK\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, wider, append(played(t), example)); !errors.Is(err, errNotes) {
		t.Errorf("a command without a note: %v", err)
	}
	smaller, err := atcmd.NewTable(atcmd.StandardRows())
	if err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, smaller, nil); !errors.Is(err, errNotes) {
		t.Errorf("a note without a command: %v", err)
	}
}
