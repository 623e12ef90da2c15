package config

import (
	"math/big"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/boatd/boatd/internal/amount"
)

// fromTOML turns what viper read into a row's type: string, int64, bool or
// []string.
func fromTOML(k kind, raw any) (any, *fault) {
	switch v := raw.(type) {
	case string:
		if k == text || k == wide {
			return v, printable(v)
		}
	case int64:
		if k == integer {
			return v, nil
		}
		if k == wide {
			return strconv.FormatInt(v, 10), nil
		}
	case bool:
		if k == boolean {
			return v, nil
		}
	case []any:
		if k == list {
			return textsOf(v)
		}
	}
	return nil, faultf(howToWrite[k], "want %s, found %s", article(k.String()), article(foundType(raw)))
}

// howToWrite hints at a type where a row has no example.
var howToWrite = map[kind]string{
	text:    "write it in quotes",
	integer: "write digits without quotes",
	boolean: "write true or false, without quotes",
	list:    "write it in brackets",
	wide:    "write digits",
}

func textsOf(raw []any) (any, *fault) {
	texts := make([]string, len(raw))
	for i, e := range raw {
		s, ok := e.(string)
		if !ok {
			return nil, faultf("", "want a list of texts, found %s in it", article(foundType(e)))
		}
		if f := printable(s); f != nil {
			return nil, f
		}
		texts[i] = s
	}
	return texts, nil
}

// fromText turns the text of an environment variable or a flag into a row's
// type; a list's elements are parted by commas.
func fromText(k kind, s string) (any, *fault) {
	if f := printable(s); f != nil {
		return nil, f
	}
	switch k {
	case integer:
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil, faultf("", "%s is not an integer", quote(s))
		}
		return n, nil
	case boolean:
		if s != "true" && s != "false" {
			return nil, faultf(`use "true" or "false"`, "%s is neither true nor false", quote(s))
		}
		return s == "true", nil
	case list:
		if s == "" {
			return []string{}, nil
		}
		return strings.Split(s, ","), nil
	}
	return s, nil
}

// printable keeps line ends, escapes and bytes that are no text out of
// everything that may be shown or written later.
func printable(s string) *fault {
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return faultf("", "%s has control characters in it or is not UTF-8", quote(s))
	}
	return nil
}

func foundType(raw any) string {
	switch raw.(type) {
	case string:
		return "text"
	case int64:
		return "integer"
	case float64:
		return "number with a point"
	case bool:
		return "true/false"
	case []any:
		return "list"
	case map[string]any:
		return "table"
	}
	return "date or time"
}

func article(noun string) string {
	switch noun {
	case "text", "true/false":
		return noun
	case "integer", "integer or text":
		return "an " + noun
	}
	return "a " + noun
}

// canonical is a value as chains.Options hold it.
func canonical(v any) string {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case []string:
		return strings.Join(v, ",")
	}
	return v.(string)
}

// literal is a value as TOML writes it.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(v) + `"`
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = literal(s)
		}
		return "[" + strings.Join(quoted, ", ") + "]"
	}
	return canonical(v)
}

// assign puts a checked value into a field.
func assign(field, v any) {
	switch f := field.(type) {
	case *string:
		*f = v.(string)
	case *int:
		*f = int(v.(int64))
	case *bool:
		*f = v.(bool)
	case *[]string:
		*f = v.([]string)
	case **big.Int:
		if s := v.(string); s != "" {
			*f, _ = amount.Native(s) // checked by coin
		}
	case *[]netip.Prefix:
		for _, s := range v.([]string) {
			*f = append(*f, netip.MustParsePrefix(s)) // checked by prefix
		}
	}
}

// redact shows a URL without what could be a credential: user information,
// path, query.
func redact(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "(hidden)"
	}
	return u.Scheme + "://" + u.Host
}

// clean makes a message fit to be shown: parsers and protocols may name what
// they found as it stands.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, scrub(s))
}

// scrub redacts every URL inside a message. A URL goes on to a quote or a white
// space of ASCII: others can stand inside what was written for one.
func scrub(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "://")
		if i < 0 {
			return b.String() + s
		}
		start := i
		for start > 0 && s[start-1] >= 'a' && s[start-1] <= 'z' {
			start--
		}
		end := i + strings.IndexFunc(s[i:]+" ", func(r rune) bool { return r == '"' || r == ' ' || '\t' <= r && r <= '\r' })
		b.WriteString(s[:start] + redact(s[start:end]))
		s = s[end:]
	}
}
