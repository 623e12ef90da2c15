// Elfgate refuses executables that a module could not run or carry.
//
//	elfgate --max 12000000 --machine arm build/boatd-armv7 build/boatd-armv7-nocgo
//
// An executable passes when it is ELF for that machine, needs neither a dynamic
// loader nor a shared library, was made by the Go toolchain without paths of the
// building machine, carries no symbols or debugging data, and has at most max
// bytes.
package main

import (
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

var machines = map[string]elf.Machine{"arm": elf.EM_ARM, "amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func main() {
	limit := flag.Int64("max", 0, "most `bytes` of each file; 0: any number")
	machine := flag.String("machine", "", "arm, amd64 or arm64; empty: any")
	flag.Parse()
	failed := flag.NArg() == 0
	for _, path := range flag.Args() {
		size, err := judge(path, *machine, *limit)
		if err != nil {
			fmt.Fprintf(os.Stderr, "elfgate: %s: %v\n", path, err)
			failed = true
			continue
		}
		fmt.Printf("%s: static, %d bytes\n", path, size)
	}
	if failed {
		os.Exit(1)
	}
}

// judge returns a file's size and everything that is wrong with it.
func judge(path, machine string, limit int64) (int64, error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	f, err := elf.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var errs []error
	if machine != "" && f.Machine != machines[machine] {
		errs = append(errs, fmt.Errorf("is for %v, not for %s", f.Machine, machine))
	}
	if limit > 0 && st.Size() > limit {
		errs = append(errs, fmt.Errorf("has %d bytes, %d too many", st.Size(), st.Size()-limit))
	}
	errs = append(errs, static(f), stripped(f), anonymous(path))
	return st.Size(), errors.Join(errs...)
}

func static(f *elf.File) error {
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("needs a dynamic loader")
		}
	}
	if libs, err := f.ImportedLibraries(); err == nil && len(libs) > 0 {
		return fmt.Errorf("needs %s", strings.Join(libs, ", "))
	}
	return nil
}

func stripped(f *elf.File) error {
	for _, name := range []string{".symtab", ".debug_info", ".zdebug_info"} {
		if f.Section(name) != nil {
			return fmt.Errorf("has a section %s: link with -s -w", name)
		}
	}
	return nil
}

// anonymous refuses a build that names the machine it was made on: it could not
// be made again elsewhere.
func anonymous(path string) error {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return fmt.Errorf("is not of the Go toolchain: %w", err)
	}
	for _, s := range info.Settings {
		if s.Key == "-trimpath" && s.Value == "true" {
			return nil
		}
	}
	return errors.New("was built without -trimpath")
}
