package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestJudge: what counts as too much.
func TestJudge(t *testing.T) {
	for _, c := range []struct {
		table, measured string
		bad             int
		says            string
	}{
		{"a instructions 1000 -", "a instructions 1030 -", 0, ""},
		{"a instructions 1000 -", "a instructions 1031 -", 1, "OVER the 1000"},
		{"a instructions 1000 1020", "a instructions 1021 -", 1, "OVER THE LIMIT of 1020"},
		{"a instructions 1000 -", "a instructions 969 -", 0, "better than the 1000"},
		{"a bytes 1000 -", "a bytes 1031 -", 1, "OVER"},
		{"a allocations 1 -", "a allocations 2 -", 1, "OVER"},
		{"a memory 1000 3000", "a memory 2000 -", 0, ""},
		{"a memory 1000 3000", "a memory 3001 -", 1, "OVER THE LIMIT"},
		{"a microseconds 10 -", "a microseconds 1000 -", 0, ""},
		{"", "a bytes 1 -", 1, "NOT IN THE TABLE"},
		{"a bytes 1 -", "", 1, "NOT MEASURED"},
	} {
		table, err := parse(c.table)
		if err != nil {
			t.Fatal(err)
		}
		measured, err := parse(c.measured)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if bad := judge(&out, table, measured); bad != c.bad || !strings.Contains(out.String(), c.says) {
			t.Errorf("%q against %q: %d, %s", c.measured, c.table, bad, &out)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"a b 1", "a b c d", "a b 1 x", "a b 1 - more"} {
		if rows, err := parse(text); err == nil {
			t.Errorf("%q: %v", text, rows)
		}
	}
}

// TestTable: the table reads as it was written, keeps every limit, and obeys it.
func TestTable(t *testing.T) {
	rows := readTable(t)
	var text bytes.Buffer
	if err := write(&text, rows); err != nil {
		t.Fatal(err)
	}
	again, err := parse(text.String())
	if err != nil || !reflect.DeepEqual(rows, again) {
		t.Errorf("%v: %v became %v", err, rows, again)
	}
	measured := renew(nil, rows)
	for i := range measured {
		measured[i].limit = 0
	}
	if got := renew(rows, measured); !reflect.DeepEqual(got, rows) {
		t.Errorf("renewed: %v", got)
	}
	if bad := judge(&text, rows, rows); bad != 0 {
		t.Errorf("the table is over its own limits:\n%s", &text)
	}
}

// TestPage: docs/performance.md says what the table says, and every row has its
// place there.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := render(string(page), readTable(t))
	if err != nil {
		t.Fatal(err)
	}
	if want != string(page) {
		t.Error("docs/performance.md is not what make bench-arm UPDATE=1 makes of the table")
	}
}

// TestPackages: a row for a package is the size of the one file with that ending.
func TestPackages(t *testing.T) {
	b := &bench{build: t.TempDir()}
	rows := []row{{name: "start"}, {name: "package-armhf.deb"}}
	if err := b.packages(rows); err == nil {
		t.Error("a package that is not there has a size")
	}
	if err := os.Mkdir(b.path("packages"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"packages/boatd_1_armhf.deb", "packages/boatd_1_arm64.deb"} {
		if err := os.WriteFile(b.path(name), []byte("12345"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.packages(rows); err != nil || !reflect.DeepEqual(b.rows, []row{{name: "package-armhf.deb", unit: "bytes", value: 5}}) {
		t.Errorf("%v: %v", err, b.rows)
	}
}

func readTable(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile("budget.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := parse(string(text))
	if err != nil || len(rows) == 0 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	return rows
}
