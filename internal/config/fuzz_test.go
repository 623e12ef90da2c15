package config

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLoad: no text makes Load panic, every problem has a place that exists,
// and what loads is shown as something that loads again.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"boatd.toml", "bench.toml"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "configs", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "BOATD_LOG_LEVEL=debug")
	}
	for _, s := range []string{
		"", "\n", "a", "[", "[[", "a=", "a=[", "=1", "[a]\n[a]", "a=1\na=2", "a.b=1\na=1", "[a.b]\n[[a]]", "[[a]]\n[a.b]\n[[a.b]]",
		"channel=[{},{},1]", "[[channel]]\n[channel.name]\n[[channel.name]]", "channel={}", "\"\"=1", "'a.b'.c=1",
		"[[network]]\nendpoints=[[1]]\nchain_id=1e5", "[[limit]]\nrecipients=[\"\\u0000\"]", "log.level={x=1}", "x=2026-01-01T00:00:00Z",
		"a=" + strings.Repeat("[", 300), strings.Repeat("a.", 300) + "a=1", "a={" + strings.Repeat("b={", 100),
		"state_dir=\"\"\"\n\n/a\"\"\"\nlgo=1", "\xff=1", "log=\"\\ud800\"",
	} {
		f.Add([]byte(s), "BOATD_NET_ALLOWED_PREFIXES=0.0.0.0/0,::/0")
	}
	path := filepath.Join(f.TempDir(), "boatd.toml")
	f.Fuzz(func(t *testing.T, data []byte, env string) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, ps := Load(path, []string{env}, map[string]string{"log.format": env}, protocols())
		for _, p := range ps {
			if p.Text == "" || p.Where == "" || p.line > bytes.Count(data, []byte{'\n'})+1 {
				t.Errorf("a problem without a place: %+v", p)
			}
			if strings.ContainsFunc(p.String(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("control characters in a problem: %q", p)
			}
		}
		if (c == nil) != ps.Failed() {
			t.Fatalf("configuration %v with problems %v", c, ps)
		}
		if c == nil {
			return
		}
		var shown bytes.Buffer
		if err := c.Effective(&shown); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, shown.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, ps := Load(path, nil, nil, protocols()); ps.Failed() {
			t.Errorf("what was shown does not load:\n%s\n%s", shown.Bytes(), ps)
		}
	})
}

// FuzzScrub: no part of a URL behind its host comes through.
func FuzzScrub(f *testing.F) {
	f.Add("get ", "https://u:SECRET@h.example/SECRET?SECRET", " failed")
	f.Add(`"`, "wss://h/#SECRET", `"`)
	f.Add("", "://SECRET", "://")
	f.Add("0", "://\u205f/\u2051SECRET", "\"")
	f.Fuzz(func(t *testing.T, before, url, after string) {
		if strings.ContainsAny(url, "\" \t\r\n\v\f") || strings.Contains(before+after, "SECRET") {
			t.Skip()
		}
		scheme, rest, ok := strings.Cut(url, "://")
		host, tail, _ := strings.Cut(rest, "/")
		if !ok || strings.Contains(scheme+host, "SECRET") || !strings.Contains(tail, "SECRET") || strings.ContainsAny(scheme, "://") {
			t.Skip()
		}
		if strings.Contains(scrub(before+" "+url+" "+after), "SECRET") {
			t.Errorf("%q", scrub(before+" "+url+" "+after))
		}
	})
}

func TestReferenceHasNoBrokenRows(t *testing.T) {
	var b strings.Builder
	if err := Reference(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "| ") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") != 5 {
			t.Errorf("a row has other than four cells: %s", line)
		}
	}
}

func TestWriteErrorsAreReported(t *testing.T) {
	c := must(t, channel)
	if err := c.Effective(full{}); err != io.ErrShortWrite {
		t.Errorf("Effective: %v", err)
	}
	if err := Reference(full{}); err != io.ErrShortWrite {
		t.Errorf("Reference: %v", err)
	}
}

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// TestHostileShapes: what is small to write and could be large or deep to read.
func TestHostileShapes(t *testing.T) {
	deep := maxFile/2 - 100
	for name, text := range map[string]string{
		"brackets":    "a=" + strings.Repeat("[", maxFile-10),
		"lists":       "a=" + strings.Repeat("[", deep) + strings.Repeat("]", deep),
		"inline":      strings.Repeat("a={", maxFile/4) + strings.Repeat("}", maxFile/4-100),
		"dotted":      strings.Repeat("a.", deep) + "a=1",
		"long header": "[" + strings.Repeat("a.", deep/2) + "a]\n" + strings.Repeat("b=1\n", 100) + strings.Repeat("c.d=1\n", 1000),
		"many tables": strings.Repeat("[[limit]]\n", maxFile/10),
	} {
		t.Run(name, func(t *testing.T) {
			if _, ps := load(t, text, nil, nil); !ps.Failed() {
				t.Error("accepted")
			}
		})
	}
}
