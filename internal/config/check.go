package config

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/internal/amount"
)

// Checks of single values. Each gets a value of its row's type.

// oneOf accepts the texts listed.
func oneOf(good ...string) func(any) *fault {
	return func(v any) *fault {
		if slices.Contains(good, v.(string)) {
			return nil
		}
		return faultf("use "+either(good), "%s is not known here", quote(v.(string)))
	}
}

// either joins texts for a message: `"a", "b" or "c"`.
func either(texts []string) string {
	var b strings.Builder
	for i, t := range texts {
		switch {
		case i > 0 && i == len(texts)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(t))
	}
	return b.String()
}

func between(low, high int64) func(any) *fault {
	return func(v any) *fault {
		if n := v.(int64); n < low || n > high {
			return faultf(fmt.Sprintf("use %d to %d", low, high), "%d is out of range", n)
		}
		return nil
	}
}

// each applies a check to every text of a list and refuses repetition.
func each(check func(any) *fault) func(any) *fault {
	return func(v any) *fault {
		texts := v.([]string)
		for i, t := range texts {
			if f := check(t); f != nil {
				return f
			}
			if slices.Contains(texts[:i], t) {
				return faultf("name it once", "%s is listed twice", quote(t))
			}
		}
		return nil
	}
}

func absolute(v any) *fault {
	p := v.(string)
	switch {
	case !filepath.IsAbs(p):
		return faultf("write the whole path, from /", "%s is not an absolute path", quote(p))
	case filepath.Clean(p) != p:
		return faultf("write "+quote(filepath.Clean(p)), "%s is a roundabout path", quote(p))
	case p == "/":
		return faultf("", `"/" itself cannot be used`)
	}
	return nil
}

// socketPath also holds a path to what fits a socket address (unix(7): 108
// bytes with the closing zero).
func socketPath(v any) *fault {
	if f := absolute(v); f != nil {
		return f
	}
	if n := len(v.(string)); n > 107 {
		return faultf("use a shorter path", "%d bytes are too long for a socket's path, which has at most 107", n)
	}
	return nil
}

// nameCheck holds the AT interface's rule for names.
func nameCheck(v any) *fault {
	if err := atcmd.CheckName(v.(string)); err != nil {
		return faultf("use 1 to 16 of A-Z a-z 0-9 . _ - with no result code (OK, ERROR, BUSY, RING, CONNECT) inside",
			"%s is not a name that hosts can use", quote(v.(string)))
	}
	return nil
}

func channelType(v any) *fault {
	if t := v.(string); slices.Contains(laterTypes, t) {
		return faultf("use "+either(channelTypes), "channels of type %q are not in this build", t)
	}
	return oneOf(channelTypes...)(v)
}

// bauds are the speeds that Linux has a name for, from 1200 up (termios(3)).
var bauds = []int64{1200, 1800, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 500000,
	576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000}

func baudRate(v any) *fault {
	n := v.(int64)
	if slices.Contains(bauds, n) {
		return nil
	}
	best := bauds[0]
	for _, b := range bauds {
		if max(b-n, n-b) < max(best-n, n-best) {
			best = b
		}
	}
	return faultf(fmt.Sprintf("the nearest is %d", best), "%d is not a speed that serial lines have", n)
}

// hostName accepts a DNS name or a literal address, as a URL's host is compared.
func hostName(v any) *fault {
	s := v.(string)
	if _, err := netip.ParseAddr(s); err == nil {
		return nil
	}
	if s != strings.ToLower(s) {
		return faultf("write "+quote(strings.ToLower(s)), "%s is not in lower case", quote(s))
	}
	if len(s) > 253 {
		return faultf("", "%s is too long for a host name", quote(s))
	}
	for label := range strings.SplitSeq(s, ".") {
		if len(label) == 0 || len(label) > 63 || strings.ContainsFunc(label, notHostRune) || label[0] == '-' {
			return faultf("write the name alone, without scheme, port or path", "%s is not a host name", quote(s))
		}
	}
	return nil
}

func notHostRune(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

func prefix(v any) *fault {
	s := v.(string)
	p, err := netip.ParsePrefix(s)
	switch {
	case err != nil:
		return faultf(`write it like "10.20.0.0/16" or "fd00::/8"`, "%s is not an address prefix", quote(s))
	case p != p.Masked():
		return faultf("write "+quote(p.Masked().String()), "%s has bits behind its length", quote(s))
	case p.Addr().Is4In6():
		return faultf("write the IPv4 prefix", "%s is an IPv4 address in IPv6 clothes", quote(s))
	}
	return nil
}

// storeSchemes are the kinds of store, weakest first.
var storeSchemes = []string{"soft", "tpm", "pkcs11", "tee"}

func storeURI(v any) *fault {
	s := v.(string)
	scheme, rest, ok := strings.Cut(s, ":")
	switch {
	case !ok || !slices.Contains(storeSchemes, scheme):
		hint := "a store begins with one of soft: tpm: pkcs11: tee:"
		if near := nearest(scheme, storeSchemes); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near+":"+rest)
		}
		return faultf(hint, "%s is not a store", quote(s))
	case scheme == "soft" && rest != "":
		return faultf(`write "soft:"`, "the soft store takes nothing behind its colon, not %s", quote(rest))
	}
	return nil
}

func seal(v any) *fault {
	switch s := v.(string); s {
	case "tee", "tpm", "trusted-key":
		return faultf(`use "auto" or "device"`, "the seal %q is not in this build", s)
	default:
		return oneOf("auto", "device")(v)
	}
}

// coin accepts an amount of native coin.
func coin(v any) *fault {
	if _, err := amount.Native(v.(string)); err != nil {
		return faultf(`write it like "0.1ether", "200gwei" or "1000" (smallest units)`, "%v", err)
	}
	return nil
}

// address accepts what could be an address on some chain; which one is known
// only when the wallet exists.
func address(v any) *fault {
	s := v.(string)
	bad := func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`",\`, r) }
	if s == "" || len(s) > 128 || strings.ContainsFunc(s, bad) {
		return faultf("write one address an element", "%s is not an address", quote(s))
	}
	return nil
}

// optionCheck makes a check of a row of the table of network options.
func optionCheck(o chains.Option) func(any) *fault {
	return func(v any) *fault {
		switch o.Kind {
		case chains.List:
			return each(element(o))(v)
		case chains.Path:
			return absolute(v)
		}
		if err := o.CheckText(canonical(v)); err != nil {
			return faultf("", "%v", err)
		}
		if o.Name == "chain_id" && strings.ContainsFunc(v.(string), func(r rune) bool { return r < '0' || r > '9' }) {
			return faultf("write it like 11155111", "%s is not a decimal number", quote(v.(string)))
		}
		return nil
	}
}

// element makes a check of one text of a list option. Lists are joined by
// commas later, so a comma inside would make two of one.
func element(o chains.Option) func(any) *fault {
	return func(v any) *fault {
		s := v.(string)
		if s == "" || strings.Contains(s, ",") {
			return faultf("", "an element is empty or has a comma in it")
		}
		if o.Name == "at_may_set" {
			return settable(s)
		}
		return nil
	}
}

// settable accepts the name of a network option that AT may be allowed to set.
func settable(name string) *fault {
	o, ok := chains.LookupOption(name)
	if !ok {
		var names []string
		for _, o := range chains.OptionTable {
			names = append(names, o.Name)
		}
		hint := ""
		if near := nearest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		return faultf(hint, "%s is not a network option", quote(name))
	}
	if o.FileOnly || o.Kind == chains.Path {
		return faultf("leave it out", "%q is set by this file only, never by AT", name)
	}
	return nil
}
