package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/boatd/boatd/chains"
)

// rules checks what no single value can show.
func (l *loader) rules(c *Config) {
	l.channelRules(c)
	l.networkRules(c)
	l.limitRules(c)
	l.keystoreRules(c)
}

// fail reports a fault at a key unless that key has a problem already.
func (l *loader) fail(path string, f *fault) {
	if !l.below(path) {
		l.bad[path] = true
		l.add(l.at(path), path, f)
	}
}

// need reports a key that is missing or empty.
func (l *loader) need(path, value string) {
	if value == "" {
		l.fail(path, faultf("", "this key is missing"))
	}
}

// unique reports a value that an earlier element has. seen maps values to keys.
func (l *loader) unique(seen map[string]string, path, value string) {
	if value == "" {
		return
	}
	if first, taken := seen[value]; taken {
		l.fail(path, faultf("", "%s is used already, at %s", quote(value), l.at(first)))
		return
	}
	seen[value] = path
}

func (l *loader) channelRules(c *Config) {
	if len(c.Channels) == 0 {
		l.warn(origin{name: l.file}, "channel", faultf("add a [[channel]]", "there is none: no host can reach boatd"))
	}
	names, places := map[string]string{}, map[string]string{}
	for i := range c.Channels {
		ch, path := &c.Channels[i], fmt.Sprintf("channel[%d]", i)
		l.need(path+".name", ch.Name)
		l.need(path+".type", ch.Type)
		l.unique(names, path+".name", ch.Name)
		if !ch.known() {
			continue
		}
		l.foreignKeys(path, ch.Type)
		key, place := ch.place()
		l.need(path+"."+key, place)
		l.unique(places, path+"."+key, place)
		if ch.Type == "serial" && ch.Flow == "none" && ch.Baud > 230400 {
			l.warn(l.at(path+".baud"), path+".flow", faultf(`use "rtscts" if the line has the wires`, "without flow control bytes are lost at %d baud", ch.Baud))
		}
	}
	if first, taken := places[c.Metrics.Socket]; taken {
		l.fail("metrics.socket", faultf("use a path of its own", "this is the AT socket of %s", l.at(first)))
	}
}

// place returns the key that says where a channel is, and its value.
func (ch *Channel) place() (key, value string) {
	switch ch.Type {
	case "serial":
		return "device", ch.Device
	case "pty":
		return "link", ch.Link
	default:
		return "path", ch.Path
	}
}

// foreignKeys reports keys that a channel's type does not have.
func (l *loader) foreignKeys(path, typ string) {
	for _, r := range rows {
		key := path + "." + r.name
		if _, given := l.o.lines[key]; given && r.table == "channel[]" && r.in != nil && !slices.Contains(r.in, typ) {
			l.fail(key, faultf("remove it", "a channel of type %q has no such key", typ))
		}
	}
}

func (l *loader) networkRules(c *Config) {
	names := map[string]string{}
	for i := range c.Networks {
		n, path := &c.Networks[i], fmt.Sprintf("network[%d]", i)
		l.need(path+".name", n.Name)
		l.need(path+".protocol", n.Protocol)
		l.unique(names, path+".name", n.Name)
		if (n.Options.Text("client_cert") == "") != (n.Options.Text("client_key") == "") {
			l.fail(path+".client_cert", faultf("give both or neither", "client_cert and client_key belong together"))
		}
		l.protocolRules(n, path)
	}
}

// protocolRules lets the network's protocol judge its options.
func (l *loader) protocolRules(n *chains.Config, path string) {
	if n.Protocol == "" || l.below(path+".protocol") {
		return
	}
	p, err := l.protocols.Protocol(n.Protocol)
	if err != nil {
		l.fail(path+".protocol", faultf("", "%v", err))
		return
	}
	hide := credentials(n)
	var order []string
	of := map[string]*fault{} // an option that is a list can have several
	for _, e := range p.Check(*n) {
		problem := hide.Replace(e.Problem)
		if f := of[e.Option]; f != nil {
			f.text += ", " + problem
			continue
		}
		of[e.Option] = &fault{problem, hide.Replace(e.Hint)}
		order = append(order, e.Option)
	}
	for _, option := range order {
		l.fail(path+"."+option, of[option])
	}
}

// credentials replaces a network's URLs by what may be shown of them: a
// protocol may name them in what it says.
func credentials(n *chains.Config) *strings.Replacer {
	var pairs []string
	for _, r := range rows {
		if !r.urls {
			continue
		}
		for _, u := range n.Options.List(r.name) {
			pairs = append(pairs, u, redact(u))
		}
	}
	return strings.NewReplacer(pairs...)
}

func (l *loader) limitRules(c *Config) {
	networks := map[string]bool{}
	for _, n := range c.Networks {
		networks[n.Name] = true
	}
	for i := range c.Limits {
		m, path := &c.Limits[i], fmt.Sprintf("limit[%d]", i)
		l.need(path+".wallet", m.Wallet)
		if m.Wallet != "" && networks[m.Wallet] {
			l.fail(path+".wallet", faultf("", "%q is a network, and wallets and networks share their names", m.Wallet))
		}
		faulty := l.bad[path+".per_transaction"] || l.bad[path+".per_day"] || l.bad[path+".recipients"]
		if m.PerTransaction == nil && m.PerDay == nil && len(m.Recipients) == 0 && !faulty {
			l.fail(path, faultf("set per_transaction, per_day or recipients", "this limits nothing"))
		}
	}
}

// keystoreRules leaves in c the stores that this build has. Those that it has
// not are a warning, unless keys must be made in one of them.
func (l *loader) keystoreRules(c *Config) {
	k := &c.Keystore
	if k.Minimum != "soft" {
		l.fail("keystore.minimum", faultf(`only "soft" can be met`, "no store of this build is as strong as %q", k.Minimum))
	}
	later := func(uri string) bool { return uri != "soft:" }
	for _, uri := range k.Stores {
		if later(uri) && k.Minimum == "soft" && !l.below("keystore.stores") {
			l.warn(l.at("keystore.stores"), "keystore.stores", faultf("", "the store %s is not in this build and is left out", quote(uri)))
		}
	}
	k.Stores = slices.DeleteFunc(slices.Clone(k.Stores), later)
	if len(k.Stores) == 0 {
		l.fail("keystore.stores", faultf(`add "soft:"`, "no store of this build is listed"))
	}
}
