package config

import (
	"fmt"
	"slices"
	"strings"
)

// judgeShape reports every key and table of the file that the schema does not
// have, or that stands where something else belongs.
func (l *loader) judgeShape() {
	for _, e := range l.o.entries {
		if l.below(e.path) {
			continue
		}
		if f := judge(e); f != nil {
			path := valueAbove(e.path)
			l.bad[path] = true
			l.add(origin{fromFile, l.file, e.line}, path, f)
		}
	}
}

// below says whether a path or a table around it has been reported already.
func (l *loader) below(path string) bool {
	for i := range path {
		if (path[i] == '.' || path[i] == '[') && l.bad[path[:i]] {
			return true
		}
	}
	return l.bad[path]
}

func judge(e entry) *fault {
	shape := e.shape()
	head, rest, nested := strings.Cut(shape, ".")
	name, array := strings.CutSuffix(head, "[]")
	switch {
	case isRow(shape) && e.table, valueAbove(e.path) != e.path:
		return faultf("", "this is a value, not a table")
	case isRow(shape):
		return nil
	case isTable(shape) && !e.table:
		return faultf(fmt.Sprintf("write %s above its keys", header(shape)), "this is a table, not a value")
	case isTable(shape):
		return nil
	case array && isTable(name):
		return faultf("write "+header(name), "there is one such table only")
	case !array && isTable(head+"[]"):
		return faultf("write "+header(head+"[]"), "there can be several such tables")
	case nested && isTable(head):
		return unknownKey(head, rest)
	}
	if e.table {
		return faultf(didYouMean(name, tableNames()), "there is no such table")
	}
	return unknownKey("", shape)
}

// unknownKey guesses what a key was meant to be: a neighbour, or a key of
// another table.
func unknownKey(table, name string) *fault {
	var neighbours []string
	elsewhere := ""
	for _, r := range rows {
		if r.table == table {
			neighbours = append(neighbours, r.name)
		} else if r.name == name && elsewhere == "" {
			elsewhere = r.table
		}
	}
	hint := didYouMean(name, neighbours)
	if hint == "" && elsewhere != "" {
		hint = "it belongs to " + header(elsewhere)
	}
	return faultf(hint, "there is no such key")
}

func didYouMean(name string, candidates []string) string {
	if near := nearest(name, candidates); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// keys holds every row by its shape: "log.level", "channel[].name".
var keys = func() map[string]bool {
	m := make(map[string]bool, len(rows))
	for _, r := range rows {
		m[tableKey(r.table, r.name)] = true
	}
	return m
}()

func isRow(shape string) bool { return keys[shape] }

// valueAbove returns the key that a path goes on below as if it were a table:
// "log.level" for "log.level.x" and "log.level[0]"; else the path itself.
func valueAbove(path string) string {
	for i := range path {
		if (path[i] == '.' || path[i] == '[') && isRow(shapeOf(path[:i])) {
			return path[:i]
		}
	}
	return path
}

func isTable(shape string) bool {
	return shape != "" && slices.ContainsFunc(tables, func(t table) bool { return t.name == shape })
}

func tableNames() (names []string) {
	for _, t := range tables {
		names = append(names, strings.TrimSuffix(t.name, "[]"))
	}
	return names
}

// tableKey joins a table and a key: "channel[].name".
func tableKey(table, name string) string {
	if table == "" {
		return name
	}
	return table + "." + name
}

// header is a table as the file writes it: "[log]", "[[channel]]"; above all
// tables for the one without a name.
func header(table string) string {
	name, array := strings.CutSuffix(table, "[]")
	switch {
	case name == "":
		return "the top of the file"
	case array:
		return "[[" + name + "]]"
	}
	return "[" + name + "]"
}
