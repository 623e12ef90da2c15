package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Problem is one thing that is wrong with a configuration.
type Problem struct {
	Where   string // "boatd.toml:12", "boatd.toml", "BOATD_LOG_LEVEL" or "--log.level"
	Key     string // "log.level", "channel.baud"; "" for the file as a whole
	Text    string // what is wrong
	Hint    string // what to do about it; may be empty
	Warning bool   // boatd starts all the same

	layer, line int // for the order: file by line, then environment, then flags
}

// String returns "where: key: problem; hint".
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.Where)
	if p.Key != "" {
		b.WriteString(": " + p.Key)
	}
	b.WriteString(": ")
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems are all that was found, those of the file first and by line.
type Problems []Problem

// Failed says whether one of them is more than a warning.
func (ps Problems) Failed() bool {
	return slices.ContainsFunc(ps, func(p Problem) bool { return !p.Warning })
}

// String returns one problem a line.
func (ps Problems) String() string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.String() + "\n")
	}
	return b.String()
}

func (ps Problems) sort() {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.layer, b.layer), cmp.Compare(a.line, b.line))
	})
}

// A fault is what a check finds: a problem that does not know its place yet.
type fault struct{ text, hint string }

func faultf(hint, format string, args ...any) *fault {
	return &fault{fmt.Sprintf(format, args...), hint}
}

// quote shows a text of the configuration in a message: escaped, cut at 60 bytes.
func quote(s string) string {
	if len(s) > 60 {
		return strconv.Quote(s[:60]) + "..."
	}
	return strconv.Quote(s)
}

// Where a value comes from. A later layer covers an earlier one.
const (
	fromFile = iota
	fromEnv
	fromFlag
	fromDefault
)

// An origin is the place of a value or of a table's head.
type origin struct {
	layer int
	name  string // the file, the variable or the flag
	line  int    // in the file; 0 where there is none
}

func (o origin) String() string {
	if o.line > 0 {
		return o.name + ":" + strconv.Itoa(o.line)
	}
	return o.name
}
