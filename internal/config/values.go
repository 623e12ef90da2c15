package config

import (
	"fmt"
	"slices"

	"github.com/boatd/boatd/chains"
)

// values goes through the rows, checks each value and puts it where it belongs.
// A value with a problem is reported and leaves its field as the default says.
func (l *loader) values() *Config {
	c := &Config{}
	for _, r := range rows {
		if single(r.table) {
			l.take(r, r.full(), l.v.Get(r.full()), c)
		}
	}
	for i, t := range l.elements("channel") {
		c.Channels = append(c.Channels, Channel{})
		l.takeAll("channel[]", fmt.Sprintf("channel[%d]", i), t, &c.Channels[i])
	}
	for i, t := range l.elements("network") {
		c.Networks = append(c.Networks, chains.Config{Options: chains.Options{}})
		l.takeAll("network[]", fmt.Sprintf("network[%d]", i), t, &c.Networks[i])
	}
	for i, t := range l.elements("limit") {
		c.Limits = append(c.Limits, Limit{})
		l.takeAll("limit[]", fmt.Sprintf("limit[%d]", i), t, &c.Limits[i])
	}
	return c
}

// elements returns the tables of an array; one that is no table has been
// reported by judgeShape and stands as nil, so that numbers stay true.
func (l *loader) elements(name string) []map[string]any {
	array, _ := l.v.Get(name).([]any)
	tables := make([]map[string]any, len(array))
	for i, e := range array {
		tables[i], _ = e.(map[string]any)
	}
	return tables
}

func (l *loader) takeAll(table, path string, raw map[string]any, target any) {
	for _, r := range rows {
		if r.table == table {
			l.take(r, path+"."+r.name, raw[r.name], target)
		}
	}
}

// take settles one key: raw is what the layers hold, nil for nothing.
func (l *loader) take(r row, path string, raw any, target any) {
	if ch, ok := target.(*Channel); ok && r.in != nil && ch.known() && !slices.Contains(r.in, ch.Type) {
		return // foreignKeys reports it
	}
	s := setting{path: path, row: r, value: r.def, origin: origin{layer: fromDefault, name: "default"}}
	if raw != nil && !l.below(path) {
		if v, f := l.judgeValue(r, path, raw); f != nil {
			l.bad[path] = true
			l.add(l.at(path), path, f)
		} else {
			s.value, s.origin = v, l.at(path)
		}
	}
	l.settings = append(l.settings, s)
	switch {
	case r.field != nil:
		assign(r.field(target), s.value)
	case isOption(r) && s.origin.layer != fromDefault:
		target.(*chains.Config).Options[r.name] = canonical(s.value)
	}
}

func (l *loader) judgeValue(r row, path string, raw any) (any, *fault) {
	v := raw
	if _, covered := l.covered[path]; !covered {
		var f *fault
		if v, f = fromTOML(r.kind, raw); f != nil {
			if r.example != "" {
				f.hint = "write it like " + r.example
			}
			return nil, f
		}
	}
	switch {
	case same(v, r.def):
		return v, nil
	case r.later && !slices.ContainsFunc(r.in, isLaterType): // else the channel's type is the problem
		return nil, faultf("leave it out", "this is not in this build")
	case r.check != nil:
		return v, r.check(v)
	}
	return v, nil
}

// known says whether the channel's type has been read and is in this build.
func (ch *Channel) known() bool { return slices.Contains(channelTypes, ch.Type) }

func isLaterType(t string) bool { return slices.Contains(laterTypes, t) }

// same compares two values of one type.
func same(a, b any) bool { return literal(a) == literal(b) }
