package config

import (
	"bufio"
	"io"
	"strings"
)

// Effective writes every key with the value that takes effect and where it
// comes from, as TOML that Load would read again. URLs are shown as scheme and
// host: the rest may be a credential.
func (c *Config) Effective(w io.Writer) error {
	out := bufio.NewWriter(w)
	open := ""
	for _, s := range c.settings {
		if s.row.later {
			continue
		}
		if table := strings.TrimSuffix(s.path, s.row.name); table != open {
			out.WriteString("\n" + header(s.row.table) + "\n")
			open = table
		}
		out.WriteString(s.row.name + " = " + literal(s.shown()) + " # " + s.origin.String() + "\n")
	}
	return out.Flush()
}

// shown is the value as anyone may see it.
func (s setting) shown() any {
	if !s.row.urls {
		return s.value
	}
	urls := s.value.([]string)
	cut := make([]string, len(urls))
	for i, u := range urls {
		cut[i] = redact(u)
	}
	return cut
}
