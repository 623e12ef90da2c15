// Package scrub takes out of a text what may be a secret, before the text goes
// to somebody who is to help.
//
// It does not need to know what is secret: URLs keep scheme and host, and what
// is long enough to be a key (32 hex digits; 28 characters of base64 that end in =,
// or 40 without) becomes its length. Addresses, which are public, stay. What a caller knows to be secret is
// taken out too, however short.
package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strings"
)

// shortest is the length from which a word that is known to be secret is looked
// for: shorter ones are in every text.
const shortest = 4

var (
	urls = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>\\]*`)
	// An address (0x and 40 digits) is matched whole, and kept.
	hexes   = regexp.MustCompile(`(?:0x)?[0-9A-Fa-f]{32,}`)
	address = regexp.MustCompile(`^0x[0-9A-Fa-f]{40}$`)
	base64s = regexp.MustCompile(`[A-Za-z0-9+/_-]{28,}={1,2}|[A-Za-z0-9+_-]{40,}|[A-Za-z0-9+/]{40,}`)
	// A path is as long; but 40 characters of base64 have capitals and digits.
	capital, numeral = regexp.MustCompile(`[A-Z]`), regexp.MustCompile(`[0-9]`)
)

// A Scrubber takes out secrets. It never changes.
type Scrubber struct {
	words []string
	known *strings.Replacer
}

// New returns a scrubber that also takes out the words given, as they are, in
// hex and in base64.
func New(words ...string) *Scrubber { return new(Scrubber).With(words...) }

// With returns a scrubber that takes out more words.
func (c *Scrubber) With(more ...string) *Scrubber {
	words := append(append([]string(nil), c.words...), more...)
	sort.Slice(words, func(i, j int) bool { return len(words[i]) > len(words[j]) })
	var pairs []string
	for _, w := range words {
		if len(w) < shortest {
			continue
		}
		digits := hex.EncodeToString([]byte(w))
		for _, form := range []string{w, digits, strings.ToUpper(digits), url.QueryEscape(w),
			base64.RawStdEncoding.EncodeToString([]byte(w)), base64.RawURLEncoding.EncodeToString([]byte(w))} {
			pairs = append(pairs, form, "[secret]")
		}
	}
	return &Scrubber{words, strings.NewReplacer(pairs...)}
}

// Text returns s without what may be secret.
func (c *Scrubber) Text(s string) string {
	s = urls.ReplaceAllStringFunc(s, Host)
	s = c.known.Replace(s)
	s = hexes.ReplaceAllStringFunc(s, func(h string) string {
		if address.MatchString(h) {
			return h
		}
		return fmt.Sprintf("[%d hex digits]", len(strings.TrimPrefix(h, "0x")))
	})
	return base64s.ReplaceAllStringFunc(s, func(b string) string {
		path := strings.Contains(b, "/") && !(capital.MatchString(b) && numeral.MatchString(b))
		if path || address.MatchString(b) {
			return b
		}
		return fmt.Sprintf("[%d characters]", len(b))
	})
}

// Host returns a URL as its scheme and host; "[url]" if it has none.
func Host(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return "[url]"
	}
	return u.Scheme + "://" + u.Host
}

// Words returns what of a URL may be a secret: user, password, the parts of its
// path, and the values of its query.
func Words(text string) []string {
	u, err := url.Parse(text)
	if err != nil {
		return nil
	}
	words := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	for _, values := range u.Query() {
		words = append(words, values...)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		words = append(words, u.User.Username(), password)
	}
	return words
}
