package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A product is a binary and what it is made of.
type product struct {
	binary string
	hash   string // SHA-256 of the file
	parts  []*part
}

// A part is boatd itself (the first), a module, the standard library, or a piece
// of C.
type part struct {
	name, version, purl string
	licence             string // SPDX expression
	hash, hashed        string // SHA-256 in hex, and of what
	dirs                []string
	root                string   // of its files; licence files lie in dirs and above, up to here
	needs               []string // names of parts
}

const (
	self     = "github.com/boatd/boatd"
	standard = "std"
	table    = "docs/dependencies.md"
)

// spdx are the names of SPDX where docs/dependencies.md has the usual one.
// go-ethereum's sources say "or any later version".
var spdx = map[string]string{"LGPL-3.0": "LGPL-3.0-or-later"}

// look finds out what a binary is made of.
func look(binary, cc string) (*product, error) {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	licences, err := readLicences(table)
	if err != nil {
		return nil, err
	}
	hash, err := fileHash(binary)
	if err != nil {
		return nil, err
	}
	p := &product{binary: binary, hash: hash, parts: []*part{{name: self, licence: "Apache-2.0"}}}
	for _, d := range info.Deps {
		if d.Replace != nil {
			return nil, fmt.Errorf("%s is replaced by %s: the bill would not be true", d.Path, d.Replace.Path)
		}
		sum, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(d.Sum, "h1:"))
		if err != nil || len(sum) != sha256.Size {
			return nil, fmt.Errorf("%s: checksum %q is not of go.sum's form", d.Path, d.Sum)
		}
		p.parts = append(p.parts, &part{name: d.Path, version: d.Version, purl: "pkg:golang/" + d.Path + "@" + d.Version,
			licence: licences[d.Path], hash: hex.EncodeToString(sum), hashed: "the module's files, as in go.sum (h1)"})
	}
	p.parts = append(p.parts, &part{name: standard, version: info.GoVersion, licence: "BSD-3-Clause",
		purl: "pkg:golang/std@" + strings.TrimPrefix(info.GoVersion, "go")})
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if err := p.findFiles(settings, cc); err != nil {
		return nil, err
	}
	if settings["CGO_ENABLED"] == "1" {
		if err := p.addC(cc); err != nil {
			return nil, err
		}
	}
	return p, p.check()
}

// check refuses a bill with holes.
func (p *product) check() error {
	var errs []error
	for _, c := range p.parts[1:] {
		if c.licence == "" || c.hash == "" || c.version == "" {
			errs = append(errs, fmt.Errorf("%s: version %q, licence %q, hash %q: none may be empty", c.name, c.version, c.licence, c.hash))
		}
	}
	return errors.Join(errs...)
}

func (p *product) part(name string) *part {
	for _, c := range p.parts {
		if c.name == name {
			return c
		}
	}
	return nil
}

// A listed is a package as go list tells of it.
type listed struct {
	Dir, ImportPath string
	Standard        bool
	Imports         []string
	Module          *struct{ Path, Dir string }
}

// owner is the name of the part that a package belongs to.
func (l *listed) owner() string {
	if l.Standard || l.Module == nil {
		return standard
	}
	return l.Module.Path
}

// findFiles notes where the packages lie that were linked, and who needs whom.
func (p *product) findFiles(settings map[string]string, cc string) error {
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,ImportPath,Standard,Imports,Module", "-tags", settings["-tags"], "./cmd/boatd")
	cmd.Env = append(cmd.Environ(), "CC="+cc)
	for _, k := range []string{"GOOS", "GOARCH", "GOARM", "GOARM64", "CGO_ENABLED"} {
		if v, ok := settings[k]; ok {
			cmd.Env = append(cmd.Env, k+"="+v)
		}
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%v: %w", cmd, err)
	}
	owners := map[string]string{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		if err := dec.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return fmt.Errorf("reading what go list says: %w", err)
		}
		owners[l.ImportPath] = l.owner()
		c := p.part(l.owner())
		if c == nil {
			return fmt.Errorf("package %s is of %s, which the binary does not have: it was built from other sources", l.ImportPath, l.owner())
		}
		c.dirs = append(c.dirs, l.Dir)
		if l.Module != nil {
			c.root = l.Module.Dir
		}
		// Dependencies come first in the list, so owners are known.
		for _, i := range l.Imports {
			if to := owners[i]; to != "" && to != c.name && !slices.Contains(c.needs, to) {
				c.needs = append(c.needs, to)
			}
		}
	}
	return p.addRuntime()
}

// addRuntime notes where the standard library lies.
func (p *product) addRuntime() error {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	c := p.part(standard)
	c.root = strings.TrimSpace(string(out))
	c.hash, err = treeHash(filepath.Join(c.root, "src"))
	c.hashed = "the files below GOROOT/src, as in go.sum (h1)"
	return err
}

// readLicences reads the table of docs/dependencies.md: module, version, KiB,
// licence, why.
func readLicences(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 5 {
			continue
		}
		licence := strings.TrimSpace(cells[3])
		if better, ok := spdx[licence]; ok {
			licence = better
		}
		all[strings.Trim(strings.TrimSpace(cells[0]), "`")] = licence
	}
	return all, nil
}

func fileHash(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// treeHash is the h1 hash of golang.org/x/mod/sumdb/dirhash, with names relative
// to dir.
func treeHash(dir string) (string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	all := sha256.New()
	slices.Sort(names)
	for _, name := range names {
		sum, err := fileHash(name)
		if err != nil {
			return "", err
		}
		relative, err := filepath.Rel(dir, name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(all, "%s  %s\n", sum, filepath.ToSlash(relative))
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}
