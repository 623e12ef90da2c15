package ops

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/internal/prom"
	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

var update = flag.Bool("update", false, "write the golden files anew")

// whole is a report with something in every field, names that want escaping among
// them.
func whole() *Report {
	stuck := Transaction{ID: 4, Wallet: "w0", State: "accepted", Code: 7044, Reason: "insufficient funds", Age: 93784}
	sent := Transaction{ID: 5, Wallet: "w0", State: "sent", Reason: Reason(2, 0), Age: 61}
	return &Report{
		Schema: Schema, Source: "daemon", Version: `v1 "x\y`, Build: "2026-01-01", Starts: 3, Uptime: 183845,
		Ready:    ReadyMap(1 | 2 | 8 | 16),
		Channels: []Channel{{"local", 1, 20, 2}, {"uart", 0, 1000, 0}},
		Networks: []Network{
			{Name: "dev", Protocol: "ethereum", State: "down", Why: "ask rpc.example.org: EOF", Height: 1 << 40, Answered: 7, Sent: 12_345_678, Received: 1 << 33, Requests: 10, Failures: 3, Used: 1000, Budget: 50_000, Open: 2},
			{Name: "new", Protocol: "ethereum", State: "not contacted", Answered: -1},
		},
		Wallets: []Wallet{{"w0", "dev", "k", 20, []Transaction{stuck, sent}}, {"w1", "new", "k", 0, []Transaction{}}},
		Open:    map[string]int{"accepted": 1, "sent": 1}, Ended: map[string]int{"confirmed": 12}, Oldest: &stuck,
		Keys: map[string]int{"active": 1, "retired": 2}, Stores: []string{"soft"}, Protection: "soft", Seal: "device", PIN: PIN{"PIN", 7},
		Journal: Journal{262144, 4096, 8192, 3, 17, 99_999_999, 40, 1, true},
		Flash:   Flash{1 << 34, 1 << 35}, Memory: Memory{23_000_000, 4_000_000, 31}, Events: Events{99, 12},
		Alarms: []Alarm{{98, 7042, "another chain", "dev"}},
		Log:    Log{map[string]uint64{"warn": 3, "error": 1}, 1234, []Line{{"2026-01-01T00:00:00Z", "error", "2026-01-01T00:00:00Z\terror\tjournal write failed"}}},
	}
}

// golden compares with a file in testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is out of date, run go test ./internal/ops -update:\n%s", path, got)
	}
}

// TestMetrics: what metrics there are and what they are called. Another parser
// than boatd's reads the same file (internal/tools).
func TestMetrics(t *testing.T) {
	var b strings.Builder
	m := &prom.Writer{}
	whole().Metrics(m)
	if _, err := m.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for line := range strings.Lines(b.String()) {
		if name, _, _ := strings.Cut(line, " "); name == "process_cpu_seconds_total" || name == "boatd_wakeups_total" {
			line = name + " 1\n" // of this process
		}
		text.WriteString(line)
	}
	golden(t, "metrics.prom", text.String())
}

func TestPrint(t *testing.T) {
	var b strings.Builder
	if err := whole().Print(&b); err != nil {
		t.Fatal(err)
	}
	b.WriteString("\n")
	at := &Report{Schema: Schema, Source: "at", Ready: ReadyMap(8)}
	if err := at.Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "status.txt", b.String())
}

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		state, code int
		want        string
	}{{0, 0, "waits to be signed"}, {1, 0, "waits to be sent"}, {2, 0, "waits for a block"}, {3, 0, "waits for confirmations"}, {4, 0, ""}, {0, 7044, "insufficient funds"}, {2, 7049, "byte budget used up"}} {
		if got := Reason(c.state, c.code); got != c.want && !strings.HasPrefix(got, c.want+",") {
			t.Errorf("state %d, code %d: %q, not %q", c.state, c.code, got, c.want)
		}
	}
	if State(3) != "included" || State(10) != "" || State(-1) != "" || Ended(3) || !Ended(4) || KeyState(4) != "compromised" || KeyState(9) != "" || UpState(1) != "up" {
		t.Error("a name is wrong")
	}
}

func TestRequests(t *testing.T) {
	long := "GET /metrics HTTP/1.1\r\nX: " + strings.Repeat("x", requestMax) + "\r\n\r\n"
	for in, want := range map[string]string{
		"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n": "GET /metrics",
		"GET /status?a=b HTTP/1.0\r\n\r\n":         "GET /status",
		"HEAD /log HTTP/1.1\n\n":                   "HEAD /log",
		"GET /metrics HTTP/1.1\r\n":                "early",
		"":                                         "early",
		"GET /metrics HTTP/2.0\r\n\r\n":            "no request",
		"GET /metrics\r\n\r\n":                     "no request",
		"AT+BOATPIN?\r\n\r\n":                      "no request",
		long:                                       "longer than",
	} {
		method, path, err := readRequest(strings.NewReader(in))
		got := method + " " + path
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) || err != nil && !errors.Is(err, errRequest) {
			t.Errorf("%q: %s, not %s", in[:min(30, len(in))], got, want)
		}
	}
}

// FuzzRequest: the same bytes in pieces are the same request, and nothing that was
// not typed is in it.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"), byte(3))
	f.Add([]byte("GET  / HTTP/1.\n\n"), byte(0))
	f.Add([]byte("\n\n"), byte(1))
	f.Fuzz(func(t *testing.T, in []byte, size byte) {
		method, path, err := readRequest(bytes.NewReader(in))
		m2, p2, err2 := readRequest(&pieces{in, int(size)%7 + 1})
		if err == nil && (!bytes.Contains(in, []byte(method)) || !bytes.Contains(in, []byte(path))) {
			t.Errorf("%q: %q %q", in, method, path)
		}
		// Bytes behind the end of the header may come with it or not at all.
		if len(in) <= requestMax && (m2 != method || p2 != path || (err == nil) != (err2 == nil)) {
			t.Errorf("%q: %q %q %v, in pieces %q %q %v", in, method, path, err, m2, p2, err2)
		}
	})
}

// pieces gives a few bytes at a time.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.b[:min(p.n, len(p.b))])
	p.b = p.b[n:]
	return n, nil
}

// TestServeRefuses: what is not there or not asked for properly is answered all
// the same.
func TestServeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"POST /metrics HTTP/1.1\r\n\r\n": "HTTP/1.1 405 ",
		"GET / HTTP/1.1\r\n\r\n":         "HTTP/1.1 404 ",
		"HEAD / HTTP/1.1\r\n\r\n":        "HTTP/1.1 404 ",
		"AT\r\n\r\n":                     "HTTP/1.1 400 ",
	} {
		here, there := net.Pipe()
		done := make(chan error, 1)
		go func() { done <- new(Source).Serve(context.Background(), here) }()
		if _, err := io.WriteString(there, in); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(there)
		if err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
		_, body, _ := strings.Cut(string(got), "\r\n\r\n")
		if head := strings.HasPrefix(in, "HEAD"); head != (body == "") && !strings.HasPrefix(in, "POST") {
			t.Errorf("%q has the body %q", in, body)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestServeEnds: nobody keeps a place for longer than five seconds: not who asks for
// nothing, not who asks and does not read, nor who gives a byte now and then.
func TestServeEnds(t *testing.T) {
	for name, peer := range map[string]func(net.Conn) error{
		"silent": func(net.Conn) error { return nil },
		"deaf":   func(c net.Conn) error { _, err := io.WriteString(c, "GET / HTTP/1.1\r\n\r\n"); return err },
		"slow": func(c net.Conn) error {
			for {
				if _, err := c.Write([]byte("x")); err != nil {
					return nil // it is over
				}
				time.Sleep(time.Second)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				gone := make(chan error, 1)
				go func() { gone <- peer(there) }()
				begin := time.Now()
				err := new(Source).Serve(t.Context(), here)
				if took := time.Since(begin); took != requestTime || err == nil {
					t.Errorf("after %v: %v", took, err)
				}
				if err := <-gone; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestGetRefuses: what is no answer of this boatd's is none.
func TestGetRefuses(t *testing.T) {
	for reply, want := range map[string]error{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":      ErrReply,
		"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx":       ErrReply,
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n": ErrReply,
		"+BOATREADY: 1\r\n": ErrReply,
		"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"schema\":":   io.ErrUnexpectedEOF,
		"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"schema\":1}": nil,
	} {
		path := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _, _ = readRequest(c)
			_, _ = io.WriteString(c, reply)
		}()
		if _, err := GetReport(path); !errors.Is(err, want) {
			t.Errorf("%q: %v", reply, err)
		}
		l.Close()
	}
	if _, err := GetReport("/none"); err == nil {
		t.Error("a socket that is not there answers")
	}
}

// TestArchive: other programs' libraries read what is written, also what takes
// several blocks.
func TestArchive(t *testing.T) {
	texts := map[string]string{"a.txt": "", "dir/b.txt": "text\n", "c": strings.Repeat("0123456789abcdef", 8192), "d": strings.Repeat("x", 512)}
	at := time.Unix(1767225600, 0)
	a := NewArchive(at)
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		a.Add(name, texts[name])
	}
	var b bytes.Buffer
	if n, err := a.WriteTo(&b); err != nil || n != int64(b.Len()) {
		t.Fatal(n, err)
	}
	unzip, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	archive := tar.NewReader(unzip)
	for range len(texts) {
		head, err := archive.Next()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if want := texts[head.Name]; err != nil || string(text) != want || head.Mode != 0o600 || !head.ModTime.Equal(at) || head.Typeflag != tar.TypeReg {
			t.Errorf("%s: %d bytes, %v, %+v", head.Name, len(text), err, head)
		}
		delete(texts, head.Name)
	}
	if _, err := archive.Next(); err != io.EOF || len(texts) > 0 {
		t.Errorf("%v, %v are missing", err, texts)
	}
	if _, err := io.Copy(io.Discard, unzip); err != nil { // judges length and checksum
		t.Error(err)
	}
}

// TestSurvey: a journal is counted while another process has it open, and not
// changed.
func TestSurvey(t *testing.T) {
	dir := t.TempDir()
	fs, err := vfs.OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer fs.Close()
	j, err := journal.Open(journal.Options{FS: fs, Major: ledger.Major, Minor: ledger.Minor}, func([]byte) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	for range 3 {
		payload, err := ledger.Batch{Records: []ledger.Record{ledger.Meta{Starts: 1}, ledger.Channel{Name: "uart", Settings: []byte("xyzzy")}}}.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := j.Append(payload); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "journal")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := SurveyJournal(dir)
	if err != nil || s.Frames != 3 || s.Records["meta"] != 3 || s.Records["channel"] != 3 || len(s.Records) != 2 || s.Log == 0 || s.Bytes != int64(len(before)) {
		t.Errorf("%+v, %v", s, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the journal was changed: %v", err)
	}
	if _, err := SurveyJournal(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := SurveyJournal(dir); err == nil {
		t.Error("garbage is no journal")
	}
}
