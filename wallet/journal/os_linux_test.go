package journal

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
)

func directory(t testing.TB, dir string) *vfs.Dir {
	t.Helper()
	d, err := vfs.OS(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// The same life on a real file system and on the simulated one leaves the same
// bytes.
func TestOnRealFiles(t *testing.T) {
	dir := t.TempDir()
	real, simulated := directory(t, dir), crashfs.New()
	var held [2][]string
	for i, s := range []vfs.FS{real, simulated} {
		l := &life{t: t, j: mustOpen(t, options(s, 7), nil)}
		if err := l.run(scenario(7, 40)); err != nil {
			t.Fatal(err)
		}
		if b, err := l.j.ReadBack(mustAppend(t, l.j, "read back")); err != nil || string(b) != "read back" {
			t.Errorf("%q, %v", b, err)
		}
		held[i] = append(l.acked, "read back")
		if err := l.j.Close(); err != nil {
			t.Fatal(err)
		}
		mustOpen(t, options(s, 8), held[i]).Close()
	}
	if !slices.Equal(held[0], held[1]) || !bytes.Equal(file(t, real), file(t, simulated)) {
		t.Error("they differ")
	}
	if st, err := os.Stat(filepath.Join(dir, "journal")); err != nil || st.Mode() != 0o600 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
}

// A process that appends and rotates as fast as it can is killed with SIGKILL,
// again and again; what it said was appended is there. The child is this test.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("JOURNAL_TEST_CHILD"); dir != "" {
		appendForEver(t, dir)
		return
	}
	dir := t.TempDir()
	acked := 0
	for i := range 6 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Skipf("no child: %v", err)
		}
		lines := bufio.NewScanner(out)
		for n := 40 + i*17; n > 0 && lines.Scan(); n-- {
			if _, err := fmt.Sscanf(lines.Text(), "acked %d", &acked); err != nil {
				t.Fatalf("child: %s", lines.Text())
			}
		}
		_ = child.Process.Kill()
		for lines.Scan() { // what it still said before it died counts too
			fmt.Sscanf(lines.Text(), "acked %d", &acked)
		}
		_ = child.Wait()
		j, last := openCounting(t, dir)
		j.Close()
		if last != acked && last != acked+1 {
			t.Fatalf("acknowledged %d, found %d", acked, last)
		}
		acked = last
	}
	if acked < 100 {
		t.Errorf("only %d records", acked)
	}
}

// openCounting opens a journal of numbers, checks that they follow one another,
// and returns the last.
func openCounting(t *testing.T, dir string) (*Journal, int) {
	last := 0
	j, err := Open(options(directory(t, dir), 1), func(p []byte) error {
		n := 0
		if _, err := fmt.Sscanf(string(p), "%d ", &n); err != nil || last != 0 && n != last+1 {
			return fmt.Errorf("%.9q follows %d: %w", p, last, err)
		}
		last = n
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return j, last
}

func appendForEver(t *testing.T, dir string) {
	j, n := openCounting(t, dir)
	rng := rand.New(rand.NewPCG(uint64(n), 1))
	record := func(n int) string { return fmt.Sprintf("%d %s", n, strings.Repeat("x", rng.IntN(900))) }
	for {
		n++
		if _, err := j.Append([]byte(record(n))); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acked", n)
		if j.ShouldRotate() {
			if err := j.Rotate(dump([]string{record(n - 1), record(n)})); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func benchmarkAppend(b *testing.B, s vfs.FS) {
	j, _, err := open(Options{FS: s, Major: 1})
	if err != nil {
		b.Fatal(err)
	}
	payload := make([]byte, 400)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.Append(payload); err != nil {
			b.Fatal(err)
		}
		if j.ShouldRotate() {
			if err := j.Rotate(dump(nil)); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkAppendSimulated(b *testing.B) { benchmarkAppend(b, crashfs.New()) }

func BenchmarkAppendReal(b *testing.B) { benchmarkAppend(b, directory(b, b.TempDir())) }

// After 100,000 records appended, with the rotations that they bring.
func BenchmarkOpen(b *testing.B) {
	s := crashfs.New()
	live(b, s, 100_000)
	real := directory(b, b.TempDir())
	f, err := real.Create("journal")
	if err != nil {
		b.Fatal(err)
	}
	if _, err := f.WriteAt(file(b, s), 0); err != nil {
		b.Fatal(err)
	}
	f.Close()
	s.ResetCounters()
	b.SetBytes(int64(len(file(b, s))))
	b.ReportAllocs()
	s.ResetCounters()
	for b.Loop() {
		j, err := Open(Options{FS: real, Major: 1}, func([]byte) error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		j.Close()
	}
	j, err := Open(Options{FS: s, Major: 1}, func([]byte) error { return nil })
	if err != nil {
		b.Fatal(err)
	}
	j.Close()
	b.ReportMetric(float64(s.Counters().Reads), "reads/op")
	b.ReportMetric(float64(s.Counters().ReadBytes), "readbytes/op")
}
