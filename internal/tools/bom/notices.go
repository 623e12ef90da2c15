package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const head = `boatd is under the Apache License 2.0. Its device binaries are linked with the works
below. For each: name, version where it has one of its own, licence, and in full what its own files say.

This file is written by "make notices".
`

// named is what licence files are called. Debian's are called copyright.
var named = regexp.MustCompile(`^(?i:(licen[cs]e|copying|notice|patents)([.-].*)?|copyright)$`)

// gnu are texts that a part's own files refer to; Debian has them in one place.
var gnu = map[string][]string{"libc": {"LGPL-2.1"}}

// noticesOf are the notices of all parts but boatd itself. A text that several
// share stands once.
func noticesOf(p *product) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(head)
	first := map[string]string{}
	for _, c := range p.parts[1:] {
		fmt.Fprintf(&out, "\n%s\n%s\n%s\n", strings.Repeat("=", 88), c.title(), c.licence)
		files, err := c.licenceFiles()
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				return nil, err
			}
			body := tidy(text)
			label := c.name + ": " + strings.TrimPrefix(strings.TrimPrefix(f, c.root), "/")
			fmt.Fprintf(&out, "%s\n%s\n\n", strings.Repeat("-", 88), label)
			if before, ok := first[body]; ok {
				fmt.Fprintf(&out, "The text is that of %s, above.\n", before)
				continue
			}
			first[body] = label
			out.WriteString(body)
		}
	}
	return out.Bytes(), nil
}

// title names a part. What comes with a compiler has no version here: the texts
// are the same, and the notices those of whoever builds with the next one. The
// bill of materials has it.
func (c *part) title() string {
	switch c.name {
	case "std", "libc", "libgcc":
		return c.name
	}
	return c.name + " " + c.version
}

// licenceFiles are those in the directories that were linked and above, up to the
// part's root.
func (c *part) licenceFiles() ([]string, error) {
	if strings.Contains(c.licence, "GCC-exception") {
		return nil, nil // which asks nothing of what the compiler makes
	}
	var found []string
	for _, dir := range append(c.dirs, c.root) {
		for strings.HasPrefix(dir, c.root) {
			entries, err := os.ReadDir(dir)
			if err != nil {
				return nil, err
			}
			for _, e := range entries {
				if named.MatchString(e.Name()) && !e.IsDir() {
					found = append(found, filepath.Join(dir, e.Name()))
				}
			}
			dir = filepath.Dir(dir)
		}
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if len(found) == 0 {
		return nil, errors.New(c.name + " has no licence file in " + c.root)
	}
	for _, name := range gnu[c.name] {
		found = append(found, "/usr/share/common-licenses/"+name)
	}
	return found, nil
}

// tidy is a text with one kind of line end, and nothing behind the lines.
func tidy(text []byte) string {
	var out strings.Builder
	for line := range strings.Lines(strings.ReplaceAll(strings.TrimSpace(string(text)), "\r\n", "\n")) {
		out.WriteString(strings.TrimRight(line, " \t\n\f") + "\n")
	}
	return out.String()
}
