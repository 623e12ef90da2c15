// Depsize measures what each module weighs in a binary and keeps the table of
// docs/dependencies.md true.
//
//	depsize binary                               print version and size of each module
//	depsize --write docs/dependencies.md binary  put them into the table
//
// The binary must have its symbols. A module weighs the sum of its symbols:
// code and data, without the line and type tables that the runtime keeps for
// all of them together. Those and the C parts are lines of their own, so that
// the lines add up to what is loaded into memory.
package main

import (
	"debug/buildinfo"
	"debug/elf"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

func main() {
	write := flag.String("write", "", "the `table` to bring up to date")
	flag.Parse()
	if err := run(*write, flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "depsize: %v\n", err)
		os.Exit(1)
	}
}

func run(table, binary string) error {
	parts, err := measure(binary)
	if err != nil {
		return err
	}
	if table != "" {
		return update(table, parts)
	}
	for _, p := range parts {
		fmt.Printf("%-55s %-45s %7d KiB\n", p.path, p.version, p.kib())
	}
	return nil
}

// A part is a module, or one of the lines that are none.
type part struct {
	path, version string
	bytes         uint64
}

func (p part) kib() uint64 { return (p.bytes + 512) / 1024 }

// The lines that are no modules.
const (
	standard = "standard library and runtime"
	tables   = "line and type tables, alignment"
	foreign  = "C code"
)

// measure returns the parts of a binary, modules first and by name.
func measure(binary string) ([]part, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	parts := []part{{path: info.Main.Path, version: "-"}}
	for _, m := range info.Deps {
		parts = append(parts, part{path: m.Path, version: m.Version})
	}
	slices.SortFunc(parts[1:], func(a, b part) int { return strings.Compare(a.path, b.path) })
	parts = append(parts, part{path: standard, version: info.GoVersion}, part{path: foreign, version: "-"}, part{path: tables, version: "-"})
	f, err := elf.Open(binary)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return parts, weigh(f, parts)
}

func weigh(f *elf.File, parts []part) error {
	symbols, err := f.Symbols()
	if err != nil {
		return fmt.Errorf("reading symbols: %w", err)
	}
	var loaded, counted uint64
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			loaded += p.Filesz
		}
	}
	modules := parts[:len(parts)-3]
	seen := map[uint64]bool{} // some symbols are aliases of one place
	for _, s := range symbols {
		if !weighs(f, s) || seen[s.Value] {
			continue
		}
		seen[s.Value] = true
		counted += s.Size
		parts[owner(s.Name, modules)].bytes += s.Size
	}
	parts[len(parts)-1].bytes = loaded - min(counted, loaded)
	return nil
}

// weighs says whether a symbol stands for bytes of the file that belong to
// something: the linker's own names for tables do not, zeroed memory neither.
func weighs(f *elf.File, s elf.Symbol) bool {
	i := int(s.Section)
	if s.Size == 0 || i <= 0 || i >= len(f.Sections) || f.Sections[i].Type == elf.SHT_NOBITS {
		return false
	}
	table := strings.HasPrefix(s.Name, "runtime.") && strings.Contains("runtime.pclntab runtime.types runtime.etypes runtime.findfunctab", s.Name)
	kind := elf.ST_TYPE(s.Info)
	return !table && (kind == elf.STT_FUNC || kind == elf.STT_OBJECT)
}

// owner returns the index of the part that a symbol belongs to: the modules are
// followed by the standard library and by C.
func owner(symbol string, modules []part) int {
	pkg := packageOf(symbol)
	best, longest := -1, 0
	for i, m := range modules {
		if (pkg == m.path || strings.HasPrefix(pkg, m.path+"/")) && len(m.path) > longest {
			best, longest = i, len(m.path)
		}
	}
	switch {
	case best >= 0:
		return best
	case pkg == "main":
		return 0
	case pkg == "":
		return len(modules) + 1
	}
	return len(modules)
}

// packageOf returns the package of a Go symbol, "" for one of C:
// "a/b.(*T).M", "type:.eq.a/b.T", "go:itab.a/b.T,io.Reader", "a/b.F[go.shape.int]".
func packageOf(symbol string) string {
	for _, prefix := range []string{"type:.eq.", "type:.hash.", "go:itab.", "type:"} {
		symbol = strings.TrimPrefix(symbol, prefix)
	}
	symbol, _, _ = strings.Cut(strings.TrimLeft(symbol, "*[]"), "[")
	symbol, _, _ = strings.Cut(symbol, ",")
	slash := strings.LastIndexByte(symbol, '/') + 1
	dot := strings.IndexByte(symbol[slash:], '.')
	if dot < 0 {
		if strings.HasPrefix(symbol, "go:") || strings.HasPrefix(symbol, "_rt0") || strings.HasPrefix(symbol, "$f") {
			return "runtime"
		}
		return ""
	}
	// The linker writes a dot in a path's last element as %2e.
	return strings.ReplaceAll(symbol[:slash+dot], "%2e", ".")
}
