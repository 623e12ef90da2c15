package transcript

import (
	"fmt"
	"os"
	"strings"
)

// A Section is one named part of a transcript's file.
type Section struct{ Name, Text string }

// A Transcript is one file.
type Transcript struct {
	Path     string
	Comment  string
	Sections []Section

	script int // index of the section "script"
	first  int // number of its first line in the file, from 1
	steps  []step
}

// Read reads a transcript from a file.
func Read(path string) (*Transcript, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading a transcript: %w", err)
	}
	return Parse(path, string(b))
}

// Parse reads a transcript from its text; path is only for messages.
func Parse(path, text string) (*Transcript, error) {
	t := &Transcript{Path: path, script: -1}
	number := 0
	for line := range strings.Lines(text) {
		number++
		name, ok := sectionName(line)
		switch n := len(t.Sections); {
		case ok && t.Section(name) != nil:
			return nil, fmt.Errorf("%s:%d: section %q is there twice", path, number, name)
		case ok:
			if name == "script" {
				t.script, t.first = n, number+1
			}
			t.Sections = append(t.Sections, Section{Name: name})
		case n == 0:
			t.Comment += line
		default:
			t.Sections[n-1].Text += line
		}
	}
	if t.script < 0 {
		return nil, fmt.Errorf("%s: no section %q", path, "script")
	}
	var err error
	t.steps, err = parseScript(t.Sections[t.script].Text, t.first)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return t, nil
}

// sectionName returns the name in a line "-- name --".
func sectionName(line string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "-- ")
	name, ok2 := strings.CutSuffix(rest, " --")
	return strings.TrimSpace(name), ok && ok2 && strings.TrimSpace(name) != ""
}

// Section returns a section by its name, nil without it.
func (t *Transcript) Section(name string) *Section {
	for i := range t.Sections {
		if t.Sections[i].Name == name {
			return &t.Sections[i]
		}
	}
	return nil
}

// String returns the text of the whole file.
func (t *Transcript) String() string {
	var b strings.Builder
	b.WriteString(t.Comment)
	for _, s := range t.Sections {
		fmt.Fprintf(&b, "-- %s --\n%s", s.Name, s.Text)
	}
	return b.String()
}

// replaceLines puts lines in the place of those from the first to the last
// step's, which follow each other in the script.
func (t *Transcript) replaceLines(from, to int, lines []string) {
	script := &t.Sections[t.script]
	all := strings.SplitAfter(script.Text, "\n")
	fresh := ""
	if len(lines) > 0 {
		fresh = strings.Join(lines, "\n") + "\n"
	}
	script.Text = strings.Join(all[:from-t.first], "") + fresh + strings.Join(all[to-t.first+1:], "")
}
