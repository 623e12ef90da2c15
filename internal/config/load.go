package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/viper"

	"github.com/boatd/boatd/chains"
)

// maxFile bounds the file: the parser's memory and depth grow with it.
const maxFile = 64 << 10

// envPrefix begins the name of every variable that sets a key.
const envPrefix = "BOATD_"

// A setting is one key of one table with the value that takes effect.
type setting struct {
	path   string // "log.level", "channel[0].name"
	row    row
	value  any
	origin origin
}

// A loader carries one Load from layer to layer.
type loader struct {
	file      string
	protocols *chains.Registry
	v         *viper.Viper
	o         *outline
	whole     bool              // the file is TOML
	bad       map[string]bool   // paths with a problem: not looked at again
	covered   map[string]origin // keys that the environment or a flag sets
	problems  Problems
	settings  []setting
}

// Load reads the file at path, lays the variables of env that begin with BOATD_
// over it ("BOATD_LOG_LEVEL=debug") and flags over that (by key: "log.level").
// Without a path there is no file. Networks are judged by their protocols.
//
// The Problems are all that could be found, in the order of the file; unless
// they have failed the Config is whole.
func Load(path string, env []string, flags map[string]string, protocols *chains.Registry) (*Config, Problems) {
	l := &loader{
		file: path, protocols: protocols, v: viper.New(), o: &outline{},
		bad: map[string]bool{}, covered: map[string]origin{},
	}
	l.whole = l.readFile()
	l.judgeShape()
	l.readEnv(env)
	l.readFlags(flags)
	c := l.values()
	if l.whole {
		l.rules(c)
	}
	l.problems.sort()
	if l.problems.Failed() {
		return nil, l.problems
	}
	c.settings = l.settings
	return c, l.problems
}

func (l *loader) readFile() bool {
	if l.file == "" {
		return true
	}
	data, err := readBounded(l.file)
	if err != nil {
		l.add(origin{name: l.file}, "", &fault{err.Error(), ""})
		return false
	}
	l.v.SetConfigType("toml")
	if err := l.v.ReadConfig(bytes.NewReader(data)); err != nil {
		l.refused(data, err)
		return false
	}
	l.o = outlineOf(data)
	return true
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", errors.Unwrap(err))
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("is larger than %d bytes", maxFile)
	}
	return data, nil
}

// refused reports a file that is not TOML, with the place where that shows.
func (l *loader) refused(data []byte, err error) {
	if syntax, ok := errors.AsType[*toml.DecodeError](err); ok {
		line, _ := syntax.Position()
		l.add(origin{name: l.file, line: line}, "", &fault{strings.TrimPrefix(syntax.Error(), "toml: "), ""})
		return
	}
	if e := outlineOf(data).repeat; e != nil {
		l.add(origin{name: l.file, line: e.line}, e.path, &fault{"stands here a second time", "remove one"})
		return
	}
	l.add(origin{name: l.file}, "", &fault{errors.Unwrap(err).Error(), ""})
}

// readEnv lays variables over the file. Arrays of tables have no form here.
func (l *loader) readEnv(env []string) {
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		o := origin{layer: fromEnv, name: name}
		i := slices.IndexFunc(rows, func(r row) bool { return single(r.table) && variable(r) == name })
		if i < 0 {
			l.add(o, "", faultf(didYouMean(name, variables()), "no key has this variable"))
			continue
		}
		l.cover(rows[i], o, value)
	}
}

func (l *loader) readFlags(flags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		o := origin{layer: fromFlag, name: "--" + key}
		i := slices.IndexFunc(rows, func(r row) bool { return single(r.table) && r.full() == key })
		if i < 0 {
			l.add(o, "", faultf("", "no key has this flag"))
			continue
		}
		l.cover(rows[i], o, flags[key])
	}
}

func (l *loader) cover(r row, o origin, value string) {
	v, f := fromText(r.kind, value)
	if f != nil {
		l.add(o, r.full(), f)
		l.bad[r.full()] = true
		return
	}
	l.v.Set(r.full(), v)
	l.covered[r.full()] = o
}

// single says whether a table stands in the file once, so that its keys have a
// variable and a flag.
func single(table string) bool { return !strings.HasSuffix(table, "[]") }

// variable is the environment's name for a key.
func variable(r row) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(r.full(), ".", "_"))
}

func variables() (names []string) {
	for _, r := range rows {
		if single(r.table) {
			names = append(names, variable(r))
		}
	}
	return names
}

// add reports a problem at a place.
func (l *loader) add(o origin, key string, f *fault) { l.report(o, key, f, false) }

// warn reports what does not stop boatd.
func (l *loader) warn(o origin, key string, f *fault) { l.report(o, key, f, true) }

func (l *loader) report(o origin, key string, f *fault, warning bool) {
	l.problems = append(l.problems, Problem{
		Where: clean(o.String()), Key: strings.ReplaceAll(shapeOf(key), "[]", ""),
		Text: clean(f.text), Hint: clean(f.hint), Warning: warning,
		layer: o.layer, line: o.line,
	})
}

// at returns the place of a key, of the table that should hold it, or of the
// file.
func (l *loader) at(path string) origin {
	if o, ok := l.covered[path]; ok {
		return o
	}
	for p := path; ; {
		if line, ok := l.o.lines[p]; ok {
			return origin{fromFile, l.file, line}
		}
		i := strings.LastIndexByte(p, '.')
		if i < 0 {
			return origin{layer: fromFile, name: l.file}
		}
		p = p[:i]
	}
}
