package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// The table's columns: module, version, size, licence, why. The program knows
// the first three; a person writes the others.
const columns = 5

// update puts versions and sizes into the table of a Markdown file. A module
// without a row, and a row without a module, is for a person to mend.
func update(path string, parts []part) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := refresh(string(old), parts)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if text == string(old) {
		return nil
	}
	return os.WriteFile(path, []byte(text), 0o644)
}

func refresh(text string, parts []part) (string, error) {
	missing := map[string]part{}
	for _, p := range parts {
		missing[p.path] = p
	}
	var errs []error
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		cells := cellsOf(line)
		if len(cells) != columns || cells[0] == "module" || strings.HasPrefix(cells[0], "-") {
			continue
		}
		name := strings.Trim(cells[0], "`")
		p, ok := missing[name]
		if !ok {
			errs = append(errs, fmt.Errorf("line %d: %s is not in the binary", i+1, name))
			continue
		}
		delete(missing, name)
		lines[i] = fmt.Sprintf("| `%s` | %s | %d | %s | %s |", p.path, p.version, p.kib(), cells[3], cells[4])
	}
	for name := range missing {
		errs = append(errs, fmt.Errorf("%s has no row", name))
	}
	return strings.Join(lines, "\n"), errors.Join(errs...)
}

// cellsOf parts a row of a Markdown table; none for another line.
func cellsOf(line string) []string {
	inner, ok := strings.CutPrefix(line, "|")
	inner, closed := strings.CutSuffix(inner, "|")
	if !ok || !closed {
		return nil
	}
	cells := strings.Split(inner, "|")
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}
