package main

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	ethereum = "github.com/ethereum/go-ethereum"
	curve    = "libsecp256k1"
)

// addC adds what is linked in with cgo: libsecp256k1, which lies in go-ethereum's
// module, the C library, and the compiler's own helpers.
func (p *product) addC(cc string) error {
	geth := p.part(ethereum)
	dir := filepath.Join(geth.root, "crypto/secp256k1", curve)
	version, err := curveVersion(dir)
	if err != nil {
		return err
	}
	hash, err := treeHash(dir)
	if err != nil {
		return err
	}
	p.parts = append(p.parts, &part{name: curve, version: version, licence: "MIT", hash: hash, hashed: "the files in " + ethereum + ", as in go.sum (h1)",
		purl: "pkg:github/bitcoin-core/secp256k1@v" + version, dirs: []string{dir}, root: dir, needs: []string{"libc"}})
	geth.needs = append(geth.needs, curve)
	p.part(standard).needs = append(p.part(standard).needs, "libc")
	for _, c := range []struct{ name, query, licence string }{
		{"libc", "-print-file-name=libc.a", "LGPL-2.1-or-later"},
		{"libgcc", "-print-libgcc-file-name", "GPL-3.0-or-later WITH GCC-exception-3.1"},
	} {
		found, err := installed(cc, c.query)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		found.name, found.licence = c.name, c.licence
		p.parts = append(p.parts, found)
	}
	p.part("libc").needs = []string{"libgcc"}
	return nil
}

// curveVersion reads the version that libsecp256k1's build description names.
func curveVersion(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "configure.ac"))
	if err != nil {
		return "", err
	}
	var version []string
	for _, part := range []string{"MAJOR", "MINOR", "PATCH"} {
		m := regexp.MustCompile(`_PKG_VERSION_` + part + `, ([0-9]+)\)`).FindSubmatch(text)
		if m == nil {
			return "", fmt.Errorf("%s: configure.ac names no version", dir)
		}
		version = append(version, string(m[1]))
	}
	return strings.Join(version, "."), nil
}

// installed is a library that the compiler links, as a package of Debian's.
func installed(cc, query string) (*part, error) {
	out, err := exec.Command(cc, query).Output()
	if err != nil {
		return nil, fmt.Errorf("asking %s for %s: %w", cc, query, err)
	}
	file, err := filepath.EvalSymlinks(strings.TrimSpace(string(out)))
	if err != nil {
		return nil, err
	}
	hash, err := fileHash(file)
	if err != nil {
		return nil, err
	}
	found, err := exec.Command("dpkg-query", "--search", file).Output()
	if err != nil {
		return nil, fmt.Errorf("no package has %s: %w", file, err)
	}
	name, _, _ := strings.Cut(string(found), ": ")
	version, err := exec.Command("dpkg-query", "--show", "--showformat=${Version}", name).Output()
	if err != nil {
		return nil, fmt.Errorf("package %s has no version: %w", name, err)
	}
	name, _, _ = strings.Cut(name, ":")
	return &part{version: string(version), hash: hash, hashed: filepath.Base(file) + " of Debian's " + name,
		purl: "pkg:deb/debian/" + name + "@" + url.QueryEscape(string(version)), root: "/usr/share/doc/" + name}, nil
}
