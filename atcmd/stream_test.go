package atcmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// streamServer has a table for arbitrary input: every row of this package and
// some that take all kinds of parameters, none that waits for time. Its log
// goes nowhere, its settings too.
func streamServer(t testing.TB, rows ...[]Command) *Server {
	b := &bench{}
	for _, c := range b.rows() {
		if slices.Contains([]string{"+BOATSHOW", "+BOATSOURCE", "+BOATNUMBER", "+BOATPIN", "+BOATPRIVATE", "+BOATBAD", "+BOATFAIL", "+BOATPANIC"}, c.Name) {
			rows = append(rows, []Command{c})
		}
	}
	table, err := NewTable(append(rows, ChannelRows(), []Command{
		{Name: "+BOATMUTE", Summary: "unlocked and without echo", Forms: Exec, Class: ClassA,
			Run: func(_ context.Context, c *Call) error {
				c.session.Unlock()
				c.session.regs[regE] = 0
				return nil
			}},
	})...)
	if err != nil {
		t.Fatal(err)
	}
	server, err := NewServer(Config{Table: table, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Identity: Identity{Manufacturer: "boatd"}})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// whole cuts nothing.
func whole(left int) int { return left }

// stream gives input to a session in the given cuts, and returns all that it
// answers until the end. Nothing that the session waits for takes time.
func stream(t *testing.T, server *Server, input []byte, cut func(left int) int) (out []byte) {
	synctest.Test(t, func(t *testing.T) {
		port := newMemPort()
		done := make(chan error)
		go func() { done <- server.Serve(t.Context(), port, ChannelInfo{Name: "uart"}) }()
		port.in <- []byte("AT+BOATMUTE\r")
		synctest.Wait()
		for len(input) > 0 {
			n := cut(len(input))
			port.in <- input[:n]
			synctest.Wait()
			input = input[n:]
		}
		close(port.in)
		if err := <-done; err != nil {
			t.Errorf("session ended with %v", err)
		}
		out = bytes.TrimPrefix(port.out.Bytes(), []byte("AT+BOATMUTE\r"+ok))
	})
	return randomID.ReplaceAll(out, []byte(`"id"`))
}

// randomID is what AT+BOATERR tells of a panic or a bad line.
var randomID = regexp.MustCompile(`"id [0-9a-f]{8}"`)

// mutations are what ATFuzzer (2019) does to a command: fields added and
// taken away, ranges left, types swapped, extreme integers, other separators,
// up to five semicolons, over-long digits; and broken quotes and escapes.
func mutations(line string) []string {
	out := []string{
		line, line + ",1", line + `,"a"`, line + ",", line + ",,", line + "=", line + "?", line + "=?", line + "-1",
		line + ";", line + ";;;;;" + line[2:], line + `;+BOATPIN="1234"`, line + "\x00", line + "\x1b", line + " ",
		line[:len(line)-1], strings.Replace(line, "AT", "at", 1), strings.Replace(line, "=", "=,", 1),
		strings.Replace(line, "=", ":", 1), strings.Replace(line, "=", "==", 1), strings.ReplaceAll(line, ",", ";"),
		strings.ReplaceAll(line, ",", "."), strings.ReplaceAll(line, ",", " "), strings.ReplaceAll(line, `"`, ""),
		strings.ReplaceAll(line, `"`, `""`), strings.ReplaceAll(line, `"`, "'"), strings.ReplaceAll(line, "<", `\4`),
	}
	for _, value := range []string{
		"0", "-1", "-4294967295", "2147483648", "4294967295", "4294967296", "18446744073709551616", strings.Repeat("9", 300),
		`""`, `"@0"`, `"@9"`, `"t:OK"`, `"x:00"`, `"\22"`, `"\0D\0AOK\0D\0A"`, `"` + strings.Repeat("A", 1900) + `"`, "1e9", "0x7f", "%n%s", `"`,
	} {
		if i := strings.IndexByte(line, '='); i >= 0 {
			out = append(out, line[:i+1]+value, line+","+value, line[:i+1]+value+","+line[i+1:])
		}
	}
	return out
}

// dictionary is a line for every form of every command.
func dictionary(server *Server) (lines []string) {
	for _, c := range server.config.Table.Commands() {
		for _, f := range []Form{Exec, Read, Set, Test} {
			lines = append(lines, c.Syntax(f))
		}
		args := make([]string, len(c.Params))
		for i, p := range c.Params {
			args[i] = map[Kind]string{Number: fmt.Sprint(p.Min), String: `"ab"`, Name: `"w0"`, Secret: `"1234"`, Source: `"t:x"`}[p.Kind]
		}
		if len(args) > 0 {
			lines = append(lines, "AT"+c.Name+"="+strings.Join(args, ","))
		}
	}
	return lines
}

// One final result for each line, and nothing in between that a host could
// take for one, whatever the line is.
func TestOneFinalResult(t *testing.T) {
	server := streamServer(t)
	lines := 0
	for _, line := range dictionary(server) {
		for _, m := range mutations(line) {
			if strings.HasPrefix(m, "AT+BOATDATAWR") {
				continue // takes what follows for data
			}
			lines++
			checkAnswers(t, m, stream(t, server, []byte(m+"\r"), whole), 1)
		}
	}
	if lines < 1000 {
		t.Errorf("only %d lines", lines)
	}
}

// checkAnswers checks what was written in answer to a number of lines.
func checkAnswers(t *testing.T, input string, out []byte, lines int) {
	t.Helper()
	finals := 0
	for rest := string(out); rest != ""; {
		text, after, found := strings.Cut(strings.TrimPrefix(rest, "\r\n"), "\r\n")
		if !strings.HasPrefix(rest, "\r\n") || !found || strings.ContainsAny(text, "\r\n") {
			t.Errorf("%q: framing of %q", input, rest)
			return
		}
		rest = strings.TrimPrefix(after, "> ") // a prompt
		switch {
		case text == "OK", text == "ERROR", strings.HasPrefix(text, "+CME ERROR: "):
			finals++
		default:
			if err := checkLine([]byte(text), line.Max); err != nil {
				t.Errorf("%q: %v", input, err)
			}
		}
	}
	if finals != lines {
		t.Errorf("%q: %d final results, want %d: %q", input, finals, lines, out)
	}
}

// However the input is cut, every byte of the output is the same.
func FuzzStream(f *testing.F) {
	server := streamServer(f, StandardRows())
	rng := rand.New(rand.NewPCG(1, 2))
	for _, line := range dictionary(server) {
		all := mutations(line)
		f.Add([]byte(line+"\rA/AT\r\n"+all[rng.IntN(len(all))]+"\r"), uint64(1))
	}
	f.Add([]byte("AT+BOATDATAWR=0,5\r\nab\rcdAT+BOATSOURCE=\"@0\"\rA/\r"), uint64(2))
	f.Add([]byte("ATE1V0Q1S3=10S5=3\nAT&W\nATZ\nA/"), uint64(3))
	f.Add([]byte("AT+BOATDATAWR=1,9\rabc"), uint64(4))
	f.Add([]byte("AT"+strings.Repeat("x", 3000)+"\rAT\r"), uint64(5))
	f.Fuzz(func(t *testing.T, input []byte, seed uint64) {
		// What is stored with AT&W and AT+BOATCFG must not reach the second run.
		server.channels = make(map[string]*channel)
		want := stream(t, server, input, whole)
		server.channels = make(map[string]*channel)
		rng := rand.New(rand.NewPCG(seed, 0))
		got := stream(t, server, input, func(left int) int { return 1 + rng.IntN(min(left, 40)) })
		if !bytes.Equal(got, want) {
			t.Errorf("%q cut gives\n%q\nand whole\n%q", input, got, want)
		}
	})
}

// Nothing but real result codes looks like one, and each line of any input has
// one. The table has no commands that change the framing.
func FuzzAnswers(f *testing.F) {
	server := streamServer(f, identityCommands())
	for i, line := range dictionary(server) {
		all := mutations(line)
		f.Add([]byte(line + "\r" + all[i%len(all)] + "\rA/"))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		server.channels = make(map[string]*channel)
		lines := 0
		s := line.Splitter{Terminator: '\r', Erase: '\b'}
		for rest := input; len(rest) > 0; {
			n, ev := s.Feed(rest)
			rest = rest[n:]
			if ev != line.None {
				lines++
			}
		}
		out := stream(t, server, input, whole)
		if bytes.Contains(out, []byte("\r\n> ")) {
			return // what followed was data: the count of lines is another
		}
		checkAnswers(t, string(input), out, lines)
	})
}

// A blob that is not what a channel stored gives defaults, never half of them.
func FuzzSettings(f *testing.F) {
	s := storedDefaults()
	f.Add(s.encode())
	s.set[setAutoLock], s.profile[regS0] = 86400, 255
	f.Add(s.encode())
	f.Add(s.encode()[:14])
	f.Add([]byte{blobVersion + 1, regCount})
	f.Fuzz(func(t *testing.T, blob []byte) {
		s := decodeStored(blob)
		for i, row := range settingRows {
			if s.set[i] < row.min || s.set[i] > row.max {
				t.Errorf("%s is %d", row.name, s.set[i])
			}
		}
		for i, row := range registerRows {
			if s.profile[i] > row.max {
				t.Errorf("%s is %d", row.name, s.profile[i])
			}
		}
		if b := s.encode(); decodeStored(b) != s || len(b) > 64 {
			t.Errorf("%x: %+v does not come back from %x", blob, s, b)
		}
	})
}

func TestSettingsBlob(t *testing.T) {
	s := storedDefaults()
	s.set[setNetTimeout], s.profile[regE] = 180, 0
	blob := s.encode()
	bad := slices.Clone(blob)
	bad[2+regX] = 5
	newer := append(slices.Clone(blob), 1, 2, 3)
	older := s
	older.set[setWake] = settingRows[setWake].def
	for _, c := range []struct {
		name string
		blob []byte
		want stored
	}{
		{"itself", blob, s},
		{"none", nil, storedDefaults()},
		{"cut in the profile", blob[:10], storedDefaults()},
		{"without the last setting", blob[:len(blob)-1], older},
		{"with more settings", newer, s},
		{"another version", append([]byte{9}, blob[1:]...), storedDefaults()},
		{"register out of range", bad, storedDefaults()},
		{"setting out of range", append(slices.Clone(blob[:2+regCount]), 0xff, 1), storedDefaults()},
		{"cut in a setting", append(slices.Clone(blob[:2+regCount]), 0xff), storedDefaults()},
	} {
		if got := decodeStored(c.blob); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
