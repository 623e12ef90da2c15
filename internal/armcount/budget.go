package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// A row is something measured, and how much of it there may be.
type row struct {
	name, unit string
	value      int64
	limit      int64 // never more than that; 0: none
}

// gated are the units that are the same on every machine: they may grow by the
// tolerance. The others have limits at most.
var gated = map[string]bool{"instructions": true, "allocations": true, "bytes": true}

const tolerance = 3 // percent

// parse reads a table: name, unit, value, limit or a hyphen; # begins a remark.
func parse(text string) (rows []row, err error) {
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 4 {
			return nil, fmt.Errorf("line %d: %d words, not 4", n+1, len(words))
		}
		r := row{name: words[0], unit: words[1]}
		if r.value, err = strconv.ParseInt(words[2], 10, 64); err != nil {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		if words[3] != "-" {
			if r.limit, err = strconv.ParseInt(words[3], 10, 64); err != nil {
				return nil, fmt.Errorf("line %d: %w", n+1, err)
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// write is the reverse of parse.
func write(w io.Writer, rows []row) error {
	_, err := fmt.Fprintf(w, "# What boatd takes on ARMv7: name, unit, measured, limit. Written by make bench-arm UPDATE=1.\n"+
		"# Instructions, allocations and bytes may grow by %d percent; other units have limits only.\n", tolerance)
	for _, r := range rows {
		limit := "-"
		if r.limit > 0 {
			limit = strconv.FormatInt(r.limit, 10)
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "%-44s %-12s %11d %11s\n", r.name, r.unit, r.value, limit)
		}
	}
	return err
}

// judge compares what was measured with what is expected, and returns what is
// wrong with it. A row that is missing on either side is wrong.
func judge(w io.Writer, expected, measured []row) (bad int) {
	want := map[string]row{}
	for _, r := range expected {
		want[r.name] = r
	}
	for _, r := range measured {
		e, ok := want[r.name]
		delete(want, r.name)
		verdict := ""
		switch {
		case !ok:
			verdict = "NOT IN THE TABLE: make bench-arm UPDATE=1"
		case e.limit > 0 && r.value > e.limit:
			verdict = fmt.Sprintf("OVER THE LIMIT of %d", e.limit)
		case gated[e.unit] && r.value*100 > e.value*(100+tolerance):
			verdict = fmt.Sprintf("OVER the %d of the table", e.value)
		case gated[e.unit] && r.value*100 < e.value*(100-tolerance):
			verdict = fmt.Sprintf("better than the %d of the table: make bench-arm UPDATE=1", e.value)
		}
		if verdict != "" && verdict[0] != 'b' {
			bad++
		}
		fmt.Fprintf(w, "%-44s %11d %-12s %s\n", r.name, r.value, r.unit, verdict)
	}
	for _, e := range expected {
		if _, missing := want[e.name]; missing {
			bad++
			fmt.Fprintf(w, "%-44s NOT MEASURED\n", e.name)
		}
	}
	return bad
}

// renew is what was measured, with the limits of the table.
func renew(expected, measured []row) []row {
	out := append([]row(nil), measured...)
	for i := range out {
		for _, e := range expected {
			if e.name == out[i].name {
				out[i].limit = e.limit
			}
		}
	}
	return out
}
