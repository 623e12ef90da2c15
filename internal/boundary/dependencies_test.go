package boundary

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A dependency is a module that the product is made of.
type dependency struct{ path, version, dir string }

func dependencies(t *testing.T) map[string]dependency {
	t.Helper()
	found := map[string]dependency{}
	roots := product(t)
	for _, env := range builds {
		format := "{{with .Module}}{{.Path}}|{{.Version}}|{{.Dir}}{{end}}"
		for _, line := range goList(t, env, format, append([]string{"-deps"}, roots...)...) {
			p := strings.SplitN(line, "|", 3)
			if p[0] != module {
				found[p[0]] = dependency{p[0], p[1], p[2]}
			}
		}
	}
	return found
}

// licences are those that boatd may carry, and a passage that each has.
var licences = []struct{ name, passage string }{
	{"LGPL-3.0", "GNU LESSER GENERAL PUBLIC LICENSE"},
	{"Apache-2.0", "Apache License"},
	{"ISC", "Permission to use, copy, modify, and distribute this software for any"},
	{"BSD-3-Clause", "Neither the name"},
	{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
	{"MIT", "Permission is hereby granted, free of charge"},
}

// licenceOf returns the licence of a module by its own file, "" for one that is
// none of the above.
func licenceOf(dir string) string {
	files, _ := filepath.Glob(filepath.Join(dir, "[LC][IO][CP][EY][NI]*"))
	for _, l := range licences {
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err == nil && strings.Contains(strings.Join(strings.Fields(string(text)), " "), l.passage) {
				return l.name
			}
		}
	}
	return ""
}

// rows reads the table of docs/dependencies.md: module, version, KiB, licence,
// why.
func rows(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		name := strings.Trim(cells[0], "`")
		if len(cells) == 5 && strings.Contains(name, ".") && name != module {
			table[name] = cells
		}
	}
	return table
}

// TestDependenciesAreDocumented: every module of the product has a row, and
// what the row says of version and licence is so.
func TestDependenciesAreDocumented(t *testing.T) {
	table, deps := rows(t), dependencies(t)
	for path, d := range deps {
		row, ok := table[path]
		if !ok {
			t.Errorf("%s %s (%s) has no row in docs/dependencies.md", path, d.version, licenceOf(d.dir))
			continue
		}
		if row[1] != d.version {
			t.Errorf("%s is %s, its row says %s", path, d.version, row[1])
		}
		if licence := licenceOf(d.dir); licence == "" || row[3] != licence {
			t.Errorf("%s is under %q, its row says %s", path, licence, row[3])
		}
		if row[4] == "" {
			t.Errorf("the row of %s does not say why", path)
		}
	}
	for path := range table {
		if _, ok := deps[path]; !ok {
			t.Errorf("%s has a row in docs/dependencies.md and is not in the product", path)
		}
	}
}
