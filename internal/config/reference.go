package config

import (
	"bufio"
	"io"
	"strings"
)

// A Key is what is known about a key that has a variable and a flag, for the
// command line's help and completion.
type Key struct {
	Name    string // "log.level": the flag is --log.level; in a Section without the table
	Env     string // "BOATD_LOG_LEVEL"
	Type    string // "text", "integer", "true/false", "list of texts"
	Default string // as TOML writes it
	Summary string // lower case, no full stop
}

// Keys returns the keys that can be set by variable and flag, in the order of
// the manual.
func Keys() []Key {
	var keys []Key
	for _, r := range rows {
		if single(r.table) && !r.later {
			keys = append(keys, Key{r.full(), variable(r), r.kind.String(), literal(r.def), r.summary})
		}
	}
	return keys
}

// A Section is a table of the file with its keys, for manuals.
type Section struct {
	Header  string // "[log]", "[[channel]]"; "" for the top of the file
	Summary string // sentences
	Keys    []Key  // Env only where the key has one
}

// Sections returns all tables that this build has keys of, in the order of the
// manual. Summaries may have `code` in them.
func Sections() []Section {
	var all []Section
	for _, t := range tables {
		s := Section{Summary: t.summary}
		if t.name != "" {
			s.Header = header(t.name)
		}
		for _, r := range rows {
			if r.table != t.name || !r.documented() {
				continue
			}
			k := Key{Name: r.name, Type: r.kind.String(), Default: literal(r.def), Summary: r.meaning()}
			if single(r.table) {
				k.Env = variable(r)
			}
			s.Keys = append(s.Keys, k)
		}
		all = append(all, s)
	}
	return all
}

const preface = `# Configuration

boatd reads one TOML file, ` + "`/etc/boatd/boatd.toml`" + ` unless ` + "`--config`" + ` names another. A key of a table that
stands in the file once can also be set by an environment variable and by a flag; a variable covers the file and
a flag covers both. ` + "`log.level`" + `, the key ` + "`level`" + ` of the table ` + "`[log]`" + `, is the variable ` + "`BOATD_LOG_LEVEL`" + ` and the flag
` + "`--log.level`" + `; a list is written with commas there. Tables that can stand several times (` + "`[[channel]]`" + `,
` + "`[[network]]`" + `, ` + "`[[limit]]`" + `) have neither.

Every key is checked before anything starts. All problems are reported at once, one a line:

    boatd.toml:12: log.levle: there is no such key; did you mean "level"?
    BOATD_JOURNAL_QUEUE_MAX: journal.queue_max: 0 is out of range; use 1 to 4096

With a problem that is not a warning, nothing starts and the exit status is 3. ` + "`boatd check-config`" + ` does only
this; with ` + "`--effective`" + ` it also shows every value and where it comes from, with URLs cut to scheme and host.

boatd never writes this file. What AT commands change at run time is kept in the state directory.

Amounts are texts: digits alone are the smallest unit, a decimal with ` + "`wei`, `gwei` or `ether`" + ` is that unit.
Paths are absolute.
`

// Reference writes the manual of all keys, docs/configuration.md.
func Reference(w io.Writer) error {
	out := bufio.NewWriter(w)
	out.WriteString(preface)
	for _, s := range Sections() {
		title := "Top of the file"
		if s.Header != "" {
			title = "`" + s.Header + "`"
		}
		out.WriteString("\n## " + title + "\n\n" + s.Summary + "\n\n")
		out.WriteString("| key | type | default | meaning |\n|---|---|---|---|\n")
		for _, k := range s.Keys {
			out.WriteString("| `" + k.Name + "` | " + k.Type + " | `" + k.Default + "` | " + strings.ReplaceAll(k.Summary, "|", `\|`) + " |\n")
		}
	}
	return out.Flush()
}

// documented leaves out the keys of channel types that this build has not.
func (r row) documented() bool { return r.summary != "" }

func (r row) meaning() string {
	s := r.summary
	var types []string
	for _, t := range r.in {
		if !isLaterType(t) {
			types = append(types, "`"+t+"`")
		}
	}
	if len(types) > 0 {
		s = strings.Join(types, ", ") + ": " + s
	}
	if r.later {
		s += " (not in this build)"
	}
	return s
}
