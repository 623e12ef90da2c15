package config

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// An entry is a key, a table or an element of an array of tables as it stands
// in the file.
type entry struct {
	path  string // "log.level", "channel[0]", "channel[0].name"
	line  int
	table bool // a table's head or an inline table, not a value
}

// shape is the path without the numbers of array elements: "channel[].name".
func (e entry) shape() string { return shapeOf(e.path) }

func shapeOf(path string) string {
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		b.WriteByte(path[i])
		if path[i] == '[' {
			for i+1 < len(path) && path[i+1] != ']' {
				i++
			}
		}
	}
	return b.String()
}

// maxPath bounds a path: no key is as long, and a table with a very long name
// would otherwise cost its length for each key in it.
const maxPath = 200

// An outline is every entry of a file in order. viper keeps no line numbers;
// this is where they come from.
type outline struct {
	entries []entry
	lines   map[string]int // by path, the first one
	repeat  *entry         // the first path that stands in the file twice
}

// outlineOf walks a TOML document. It judges nothing but repetition, so it also
// serves to find the place of what viper refused.
func outlineOf(data []byte) *outline {
	w := walker{data: data, o: &outline{lines: map[string]int{}}, arrays: map[string]int{}}
	w.p.Reset(data)
	for w.p.NextExpression() {
		w.expression(w.p.Expression())
	}
	return w.o
}

type walker struct {
	p      unstable.Parser
	data   []byte
	o      *outline
	prefix string         // the table that is open
	arrays map[string]int // elements so far of each array of tables
	line   int            // of seen, to count newlines once only
	seen   int
}

func (w *walker) expression(n *unstable.Node) {
	switch n.Kind {
	case unstable.Table:
		path, line := w.key(n.Key(), "")
		w.prefix = path
		w.add(entry{path, line, true})
	case unstable.ArrayTable:
		path, line := w.key(n.Key(), "")
		w.prefix = w.element(path)
		w.add(entry{w.prefix, line, true})
	case unstable.KeyValue:
		w.keyValue(n, w.prefix)
	}
}

func (w *walker) keyValue(n *unstable.Node, prefix string) {
	path, line := w.key(n.Key(), prefix)
	w.value(n.Value(), path, line)
}

func (w *walker) value(n *unstable.Node, path string, line int) {
	switch {
	case n.Kind == unstable.InlineTable:
		w.add(entry{path, line, true})
		w.inline(n, path)
	case n.Kind == unstable.Array && n.Child().Valid() && n.Child().Kind == unstable.InlineTable:
		for it := n.Children(); it.Next(); {
			w.value(it.Node(), w.element(path), line)
		}
	default:
		w.add(entry{path, line, false})
	}
}

func (w *walker) inline(n *unstable.Node, path string) {
	for it := n.Children(); it.Next(); {
		w.keyValue(it.Node(), path)
	}
}

// element returns the path of an array's next element.
func (w *walker) element(path string) string {
	i := w.arrays[path]
	w.arrays[path]++
	return path + "[" + strconv.Itoa(i) + "]"
}

// key joins a dotted key to a prefix. Below an array of tables a name means the
// array's newest element.
func (w *walker) key(it unstable.Iterator, prefix string) (path string, line int) {
	path = prefix
	for it.Next() {
		if n := w.arrays[path]; n > 0 {
			path += "[" + strconv.Itoa(n-1) + "]"
		}
		if path != "" {
			path += "."
		}
		path += bare(it.Node().Data)
		path = path[:min(len(path), maxPath)]
		line = w.lineAt(int(it.Node().Raw.Offset))
	}
	return path, line
}

// bare keeps a quoted key with dots, brackets or anything else in it apart from
// the rest of a path.
func bare(key []byte) string {
	s := string(key)
	if s == "" || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") != "" {
		return quote(s)
	}
	return s
}

// lineAt counts lines up to an offset; offsets mostly rise.
func (w *walker) lineAt(offset int) int {
	if offset < w.seen {
		w.seen, w.line = 0, 0
	}
	w.line += bytes.Count(w.data[w.seen:offset], []byte{'\n'})
	w.seen = offset
	return w.line + 1
}

func (w *walker) add(e entry) {
	if _, twice := w.o.lines[e.path]; twice {
		if w.o.repeat == nil {
			w.o.repeat = &e
		}
		return
	}
	w.o.lines[e.path] = e.line
	w.o.entries = append(w.o.entries, e)
}
