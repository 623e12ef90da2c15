package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTreeHash: the same as (cd dir; find . -type f | sort | sed s,./,, | xargs sha256sum) | sha256sum.
func TestTreeHash(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/b", "two\n")
	write(t, dir+"/a/c", "one\n")
	const want = "313096fedb62a20fb131238803b33f3987f5d6f48795027b9e903c4d04b1994f"
	got, err := treeHash(dir)
	if err != nil || got != want {
		t.Errorf("%s, %v", got, err)
	}
	write(t, dir+"/b", "three\n")
	if got, err := treeHash(dir); err != nil || got == want {
		t.Errorf("after a change: %s, %v", got, err)
	}
	if _, err := treeHash(dir + "/none"); err == nil {
		t.Error("a directory that is not there has a hash")
	}
}

func TestReadLicences(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "table.md"), "text | with | bars\n| module | version | KiB | licence | why |\n|---|---|---|---|---|\n"+
		"| `a.org/x` | v1.0.0 | 3 | MIT | it |\n| `a.org/y` | v1.0.0 | 3 | LGPL-3.0 | it |\n")
	got, err := readLicences(path)
	if err != nil || got["a.org/x"] != "MIT" || got["a.org/y"] != "LGPL-3.0-or-later" || got["a.org/z"] != "" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestHoles: a part without a version, a licence or a hash makes no bill.
func TestHoles(t *testing.T) {
	whole := part{name: "x", version: "v1", licence: "MIT", hash: "00"}
	holes := map[string]func(*part){
		"version": func(c *part) { c.version = "" }, "licence": func(c *part) { c.licence = "" }, "hash": func(c *part) { c.hash = "" },
	}
	if err := (&product{parts: []*part{{}, &whole}}).check(); err != nil {
		t.Error(err)
	}
	for name, hole := range holes {
		c := whole
		hole(&c)
		if err := (&product{parts: []*part{{}, &c}}).check(); err == nil || !strings.Contains(err.Error(), name+` ""`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBill(t *testing.T) {
	p := &product{hash: "ab", parts: []*part{
		{name: self, licence: "Apache-2.0", needs: []string{"z", "c"}},
		{name: "z", version: "v1", purl: "pkg:z", licence: "MIT", hash: "01", hashed: "files"},
		{name: "c", version: "2", purl: "pkg:c", licence: "GPL-3.0-or-later WITH GCC-exception-3.1", hash: "02", hashed: "a file"},
	}}
	d, err := bill(p, "1.2.3", "86400")
	if err != nil {
		t.Fatal(err)
	}
	if d.Metadata.Timestamp != "1970-01-02T00:00:00Z" || d.Metadata.Component.Version != "1.2.3" || d.Metadata.Component.Hashes[0].Content != "ab" {
		t.Errorf("%+v", d.Metadata)
	}
	if len(d.Components) != 2 || d.Components[0].Licenses[0].License.ID != "MIT" || d.Components[1].Licenses[0].Expression == "" {
		t.Errorf("%+v", d.Components)
	}
	if to := strings.Join(d.Dependencies[0].DependsOn, " "); to != "pkg:c pkg:z" {
		t.Errorf("depends on %s", to)
	}
	uuid := regexp.MustCompile(`^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	if !uuid.MatchString(d.Serial) || d.Serial == serial("other") || d.Serial != serial("ab") {
		t.Errorf("serial %s", d.Serial)
	}
	if _, err := bill(p, "1.2.3", ""); err == nil {
		t.Error("a bill has no time, and nobody minds")
	}
}

// TestNotices: files beside what is linked and above it, each text once, and none
// of what is not linked.
func TestNotices(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/x/LICENSE", "Text \r\nof x\r\n\r\n")
	write(t, dir+"/x/deep/pkg/COPYING.LESSER", "another")
	write(t, dir+"/x/deep/other/LICENSE", "not linked")
	write(t, dir+"/x/deep/pkg/licences.go", "code")
	write(t, dir+"/y/Licence.txt", "Text\nof x\n")
	x := &part{name: "x", version: "v1", licence: "MIT", root: dir + "/x", dirs: []string{dir + "/x/deep/pkg"}}
	y := &part{name: "y", version: "v2", licence: "MIT", root: dir + "/y"}
	text, err := noticesOf(&product{parts: []*part{{}, x, y}})
	if err != nil {
		t.Fatal(err)
	}
	rules := strings.NewReplacer(strings.Repeat("=", 88), "==", strings.Repeat("-", 88), "--")
	want := head + "\n==\nx v1\nMIT\n--\nx: LICENSE\n\nText\nof x\n--\nx: deep/pkg/COPYING.LESSER\n\nanother\n" +
		"\n==\ny v2\nMIT\n--\ny: Licence.txt\n\nThe text is that of x: LICENSE, above.\n"
	if got := rules.Replace(string(text)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if _, err := noticesOf(&product{parts: []*part{{}, {name: "z", root: t.TempDir()}}}); err == nil {
		t.Error("a part without a licence file passes")
	}
}

func TestCurveVersion(t *testing.T) {
	dir := t.TempDir()
	write(t, dir+"/configure.ac", "define(_PKG_VERSION_MAJOR, 0)\ndefine(_PKG_VERSION_MINOR, 6)\ndefine(_PKG_VERSION_PATCH, 1)\n")
	if v, err := curveVersion(dir); err != nil || v != "0.6.1" {
		t.Errorf("%q, %v", v, err)
	}
	write(t, dir+"/configure.ac", "define(_PKG_VERSION_MAJOR, 0)\n")
	if v, err := curveVersion(dir); err == nil {
		t.Errorf("half a version is %q", v)
	}
}
