package device

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/tee"
)

// A board is the device id files of a test: path to content.
type board map[string]string

func (b board) read(path string) ([]byte, error) {
	if c, ok := b[path]; ok {
		return []byte(c), nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

var testIDs = []string{"/dt/serial", "/soc/serial"}

func testBoard() board { return board{"/dt/serial": "A1B2\x00", "/soc/serial": "4711\n"} }

func open(d vfs.FS, b board, ids ...string) *Sealer {
	if ids == nil {
		ids = testIDs
	}
	return New(Options{FS: d, IDs: ids, ReadID: b.read, Rand: rand.Reader})
}

func mustKEK(t testing.TB, s *Sealer) []byte {
	t.Helper()
	k, err := s.KEK(context.Background())
	if err != nil {
		t.Fatalf("KEK: %v", err)
	}
	return k
}

func contents(t testing.TB, d vfs.FS, name string) []byte {
	t.Helper()
	f, err := d.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, size), b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSameKEK(t *testing.T) {
	d := crashfs.New()
	s := open(d, testBoard())
	k := mustKEK(t, s)
	if len(k) != tee.KeySize || bytes.Equal(k, make([]byte, tee.KeySize)) {
		t.Fatalf("KEK %x", k)
	}
	kept := bytes.Clone(k)
	clear(k) // as callers do
	for i, s := range []*Sealer{s, open(d, testBoard())} {
		if got := mustKEK(t, s); !bytes.Equal(got, kept) {
			t.Errorf("call %d: %x, want %x", i, got, kept)
		}
	}
	if other := mustKEK(t, open(crashfs.New(), testBoard())); bytes.Equal(other, kept) {
		t.Error("two devices have one KEK")
	}
	if names, err := d.List(); err != nil || !slices.Equal(names, []string{liveName}) {
		t.Errorf("files %v, %v", names, err)
	}
}

// TestKEKToTheLetter computes HKDF (RFC 5869, one block) by hand.
func TestKEKToTheLetter(t *testing.T) {
	mac := func(key, msg []byte) []byte {
		m := hmac.New(sha256.New, key)
		m.Write(msg)
		return m.Sum(nil)
	}
	d := crashfs.New()
	ids := []string{"/a", "/absent", "/b"}
	got := mustKEK(t, open(d, board{"/a": "AB", "/b": "xyz"}, ids...))
	root := contents(t, d, liveName)[8:40]
	salt := []byte("\x00\x00\x00\x02AB\x00\x00\x00\x00\x00\x00\x00\x03xyz")
	want := mac(mac(salt, root), []byte("boatd device seal, version 1\x01"))
	if !bytes.Equal(got, want) {
		t.Errorf("KEK %x, want %x", got, want)
	}
}

// TestKEKIsStable: a file and board of today must give the same KEK for ever.
func TestKEKIsStable(t *testing.T) {
	const (
		file = "424f415444455631111111111111111111111111111111111111111111111111111111111111111102000a2f64742f73657269616c95cf1272587c2de7c9d788d49ec449f8583b38f92467bdfd84c0b15cff0401b5000b2f736f632f73657269616c4e7628bacce05ee5df610511e2061f868a4bbeede417acfaf5f8ae9f6b051b3c8bd838161fc298fdd105299712f1f09ee2e3ac348830d49492deaa7229c06aa8"
		kek  = "e5935527d219ea6e818bb4682ebcea786dbd4cac3fa9ee0322fe66affea8571a"
	)
	d := crashfs.New()
	s := New(Options{FS: d, IDs: testIDs, ReadID: testBoard().read, Rand: bytes.NewReader(bytes.Repeat([]byte{0x11}, rootSize))})
	if got := mustKEK(t, s); hex.EncodeToString(got) != kek {
		t.Errorf("KEK %x, want %s", got, kek)
	}
	if got := hex.EncodeToString(contents(t, d, liveName)); got != file {
		t.Errorf("file\n%s, want\n%s", got, file)
	}
	b, err := hex.DecodeString(file)
	if err != nil {
		t.Fatal(err)
	}
	old := crashfs.New()
	old.Put(liveName, b)
	if got := mustKEK(t, open(old, testBoard())); hex.EncodeToString(got) != kek {
		t.Errorf("an old file: KEK %x, want %s", got, kek)
	}
}

func TestBinding(t *testing.T) {
	for _, c := range []struct {
		name  string
		board board
		ids   []string
		say   []string // what the error names; nil: no error
		never []string
	}{
		{"nothing", testBoard(), testIDs, nil, nil},
		{"one content", board{"/dt/serial": "A1B2\x00", "/soc/serial": "4712\n"}, testIDs,
			[]string{`content`, `"/soc/serial"`}, []string{"/dt/serial", "4711", "4712", "configuration"}},
		{"both contents", board{"/dt/serial": "x", "/soc/serial": "y"}, testIDs, []string{`"/dt/serial", "/soc/serial"`}, nil},
		{"exchanged contents", board{"/dt/serial": "4711\n", "/soc/serial": "A1B2\x00"}, testIDs, []string{`"/dt/serial", "/soc/serial"`}, nil},
		{"moved boundary", board{"/dt/serial": "A1B2\x004", "/soc/serial": "711\n"}, testIDs, []string{`"/dt/serial", "/soc/serial"`}, nil},
		{"a file gone", board{"/dt/serial": "A1B2\x00"}, testIDs, []string{`content`, `"/soc/serial"`}, []string{"/dt/serial"}},
		{"all gone", board{}, testIDs, []string{`"/dt/serial", "/soc/serial"`}, nil},
		{"a path added", testBoard(), append(slices.Clone(testIDs), "/new"), []string{"configuration", `"/new" was added`}, []string{"/dt/serial", "content"}},
		{"a path removed", testBoard(), testIDs[:1], []string{"configuration", `"/soc/serial" was removed`}, []string{"/dt/serial"}},
		{"a path exchanged", testBoard(), []string{testIDs[0], "/new"}, []string{`"/new" was added, "/soc/serial" was removed`}, nil},
		{"another order", testBoard(), []string{testIDs[1], testIDs[0]}, []string{"configuration", `it was ["/dt/serial" "/soc/serial"]`}, nil},
		{"a path twice", testBoard(), []string{testIDs[0], testIDs[1], testIDs[1]}, []string{"configuration", `it was`}, nil},
		{"no paths", testBoard(), []string{}, []string{`"/dt/serial" was removed, "/soc/serial" was removed`}, nil},
	} {
		d := crashfs.New()
		want := mustKEK(t, open(d, testBoard()))
		before := contents(t, d, liveName)
		got, err := open(d, c.board, c.ids...).KEK(t.Context())
		switch {
		case c.say == nil && (err != nil || !bytes.Equal(got, want)):
			t.Errorf("%s: %x, %v", c.name, got, err)
		case c.say != nil && (!errors.Is(err, tee.ErrBinding) || got != nil):
			t.Errorf("%s: %x, %v, want ErrBinding", c.name, got, err)
		}
		for _, say := range c.say {
			if !strings.Contains(fmt.Sprint(err), say) {
				t.Errorf("%s: %q does not say %s", c.name, err, say)
			}
		}
		for _, never := range c.never {
			if strings.Contains(fmt.Sprint(err), never) {
				t.Errorf("%s: %q says %s", c.name, err, never)
			}
		}
		if label := open(d, c.board, c.ids...).Label(); label != "device" {
			t.Errorf("%s: label %q", c.name, label)
		}
		// The keys are still there: with the old ids all is as before.
		if !bytes.Equal(contents(t, d, liveName), before) || !bytes.Equal(mustKEK(t, open(d, testBoard())), want) {
			t.Errorf("%s: the key was touched", c.name)
		}
	}
}

// TestAbsentIsEmpty: a file that does not exist and an empty one are the same.
func TestAbsentIsEmpty(t *testing.T) {
	d := crashfs.New()
	want := mustKEK(t, open(d, board{"/dt/serial": "A"}))
	if got := mustKEK(t, open(d, board{"/dt/serial": "A", "/soc/serial": ""})); !bytes.Equal(got, want) {
		t.Errorf("%x, want %x", got, want)
	}
}

func TestLabel(t *testing.T) {
	for _, c := range []struct {
		board board
		ids   []string
		want  string
	}{
		{testBoard(), testIDs, "device"},
		{board{"/soc/serial": "1"}, testIDs, "device"},
		{board{"/soc/serial": ""}, testIDs, "device-unbound"},
		{board{}, testIDs, "device-unbound"},
		{testBoard(), []string{}, "device-unbound"},
	} {
		d := crashfs.New()
		s := open(d, c.board, c.ids...)
		if got := s.Label(); got != c.want {
			t.Errorf("%v %v, before the first key: %q, want %q", c.board, c.ids, got, c.want)
		}
		if names, _ := d.List(); len(names) != 0 {
			t.Errorf("Label made %v", names)
		}
		mustKEK(t, s)
		if got := s.Label(); got != c.want {
			t.Errorf("%v %v: %q, want %q", c.board, c.ids, got, c.want)
		}
		// What protects the key is what it was made with.
		if got := open(d, testBoard(), c.ids...).Label(); got != c.want {
			t.Errorf("%v %v, ids appearing later: %q, want %q", c.board, c.ids, got, c.want)
		}
	}
	broken := New(Options{FS: crashfs.New(), IDs: testIDs, Rand: rand.Reader, ReadID: func(string) ([]byte, error) { return nil, syscall.EIO }})
	if got := broken.Label(); got != "device-unbound" {
		t.Errorf("unreadable ids: %q", got)
	}
	d := crashfs.New()
	d.Put(liveName, []byte("rubbish"))
	if got := open(d, testBoard()).Label(); got != "device-unbound" {
		t.Errorf("a damaged file: %q", got)
	}
}

// TestRenewRebinds: a factory reset makes a new key for the board as it is now.
func TestRenewRebinds(t *testing.T) {
	d := crashfs.New()
	first := mustKEK(t, open(d, testBoard()))
	root := contents(t, d, liveName)[8:40]
	moved := open(d, board{"/other": "Z"}, "/other")
	if _, err := moved.KEK(t.Context()); !errors.Is(err, tee.ErrBinding) {
		t.Fatal(err)
	}
	seen := [][]byte{first}
	for range 3 {
		if err := moved.Renew(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := d.Pending(); n != 0 {
			t.Errorf("Renew returned with %d pieces not yet durable", n)
		}
		k := mustKEK(t, moved)
		for _, old := range seen {
			if bytes.Equal(k, old) {
				t.Error("Renew gave an old key")
			}
		}
		seen = append(seen, k)
	}
	if bytes.Contains(contents(t, d, liveName), root) {
		t.Error("the old root is still in the file")
	}
	if err := open(crashfs.New(), testBoard()).Renew(t.Context()); err != nil {
		t.Errorf("Renew without a key: %v", err)
	}
}

// TestRenewOverwrites: the old root is overwritten where it was, and that is
// durable, before a new file takes the name and nothing points there any more.
func TestRenewOverwrites(t *testing.T) {
	d := crashfs.New()
	mustKEK(t, open(d, testBoard()))
	root := contents(t, d, liveName)[8:40]
	old, err := d.Open(liveName)
	if err != nil {
		t.Fatal(err)
	}
	made := false
	d.Watch(func() {
		names, err := d.List()
		if err != nil {
			t.Fatal(err)
		}
		if len(names) > 1 { // the new file still has its own name
			made = true
		} else if made {
			for choice, found := range d.Outcomes(100, 1) {
				if bytes.Contains(contents(t, found, liveName), root) {
					t.Errorf("%v: renamed, and the old root can come back", choice)
				}
			}
		}
	})
	if err := open(d, testBoard()).Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	head := make([]byte, headSize)
	if _, err := old.ReadAt(head, 0); err != nil || !bytes.Equal(head, destroyed) {
		t.Errorf("the head of the old file: %q, %v", head, err)
	}
}

// TestDamage: any flipped bit and any cut is ErrDamaged, never another key and
// never a new one; only Renew helps.
func TestDamage(t *testing.T) {
	good := crashfs.New()
	want := mustKEK(t, open(good, testBoard()))
	b := contents(t, good, liveName)
	check := func(what string, bad []byte) {
		d := crashfs.New()
		d.Put(liveName, bad)
		if k, err := open(d, testBoard()).KEK(t.Context()); !errors.Is(err, tee.ErrDamaged) {
			t.Errorf("%s: %x, %v, want ErrDamaged", what, k, err)
		}
		if !bytes.Equal(contents(t, d, liveName), bad) {
			t.Errorf("%s: the file was touched", what)
		}
		if err := open(d, testBoard()).Renew(t.Context()); err != nil {
			t.Errorf("%s: Renew: %v", what, err)
		}
		if k := mustKEK(t, open(d, testBoard())); bytes.Equal(k, want) {
			t.Errorf("%s: Renew kept the key", what)
		}
	}
	for i := range len(b) * 8 {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		check(fmt.Sprintf("bit %d", i), bad)
	}
	for n := range len(b) {
		check(fmt.Sprintf("%d bytes", n), b[:n])
	}
	check("a byte more", append(bytes.Clone(b), 0))
	check("zeros", make([]byte, len(b)))
	check("too long", make([]byte, maxFile+1))
	check("half a destruction", append(bytes.Clone(destroyed[:20]), b[20:]...))
}

// TestNewerVersion: after a downgrade the key is not damaged and not replaced.
func TestNewerVersion(t *testing.T) {
	d := crashfs.New()
	body := append([]byte("BOATDEV2"), make([]byte, 60)...)
	sum := sha256.Sum256(body)
	d.Put(liveName, append(body, sum[:]...))
	_, err := open(d, testBoard()).KEK(t.Context())
	if !errors.Is(err, tee.ErrUnavailable) || errors.Is(err, tee.ErrDamaged) || !strings.Contains(err.Error(), "BOATDEV2") {
		t.Errorf("%v", err)
	}
}

// TestNothingIsMadeInDoubt: without ids or randomness there is no key, and no
// key is destroyed.
func TestNothingIsMadeInDoubt(t *testing.T) {
	boom := errors.New("boom")
	ids := func(err error, n int) func(string) ([]byte, error) {
		return func(string) ([]byte, error) { return make([]byte, n), err }
	}
	many := make([]string, maxIDs+1)
	for _, c := range []struct {
		name string
		o    Options
		is   error
	}{
		{"unreadable id", Options{IDs: testIDs, ReadID: ids(boom, 0), Rand: rand.Reader}, boom},
		{"no permission", Options{IDs: testIDs, ReadID: ids(fs.ErrPermission, 0), Rand: rand.Reader}, fs.ErrPermission},
		{"a long id", Options{IDs: testIDs, ReadID: ids(nil, maxID+1), Rand: rand.Reader}, tee.ErrUnavailable},
		{"random fails", Options{IDs: testIDs, ReadID: testBoard().read, Rand: iotest.ErrReader(boom)}, boom},
		{"random ends", Options{IDs: testIDs, ReadID: testBoard().read, Rand: io.LimitReader(zeros{}, 31)}, tee.ErrUnavailable},
		{"many ids", Options{IDs: many, ReadID: testBoard().read, Rand: rand.Reader}, tee.ErrUnavailable},
		{"a long path", Options{IDs: []string{strings.Repeat("x", maxPath+1)}, ReadID: testBoard().read, Rand: rand.Reader}, tee.ErrUnavailable},
	} {
		d := crashfs.New()
		c.o.FS = d
		if k, err := New(c.o).KEK(t.Context()); k != nil || !errors.Is(err, tee.ErrUnavailable) || !errors.Is(err, c.is) {
			t.Errorf("%s: %x, %v", c.name, k, err)
		}
		if names, _ := d.List(); len(names) != 0 {
			t.Errorf("%s: files %v", c.name, names)
		}
		want := mustKEK(t, open(d, testBoard()))
		if err := New(c.o).Renew(t.Context()); !errors.Is(err, c.is) {
			t.Errorf("%s: Renew: %v", c.name, err)
		}
		if got, err := open(d, testBoard()).KEK(t.Context()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: a Renew that could not be done destroyed the key: %v", c.name, err)
		}
	}
	largest := New(Options{FS: crashfs.New(), IDs: many[:maxIDs], ReadID: ids(nil, maxID), Rand: rand.Reader})
	if !bytes.Equal(mustKEK(t, largest), mustKEK(t, largest)) {
		t.Error("the largest list gives two keys")
	}
}

// zeros is a source that does not end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d := crashfs.New()
	s := open(d, testBoard())
	if _, err := s.KEK(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("KEK: %v", err)
	}
	if err := s.Renew(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Renew: %v", err)
	}
	if d.Counters().Ops != 0 {
		t.Error("something was written")
	}
}

func TestConcurrent(t *testing.T) {
	s := open(crashfs.New(), testBoard())
	keys := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() {
			keys[i], _ = s.KEK(context.Background())
			_ = s.Label()
		})
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != tee.KeySize || !bytes.Equal(k, keys[0]) {
			t.Errorf("%x, want %x", k, keys[0])
		}
	}
}

// FuzzParse: whatever is in the file, it is read whole or refused.
func FuzzParse(f *testing.F) {
	d := crashfs.New()
	mustKEK(f, open(d, testBoard()))
	good := contents(f, d, liveName)
	f.Add(good, false)
	f.Add(good[:len(good)-sha256.Size], true)
	f.Add(append([]byte(magicV1), make([]byte, 33)...), true)
	f.Add(append([]byte(magicV1), bytes.Repeat([]byte{0xff}, 120)...), true)
	f.Add(append([]byte("BOATDEV2"), make([]byte, 33)...), true)
	f.Add(destroyed, false)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, b []byte, sum bool) {
		if sum { // get past the checksum
			s := sha256.Sum256(b)
			b = append(bytes.Clone(b), s[:]...)
		}
		file, err := parse(b)
		if err != nil {
			if !errors.Is(err, errAbsent) && !errors.Is(err, tee.ErrDamaged) && !errors.Is(err, tee.ErrUnavailable) {
				t.Errorf("%v", err)
			}
			return
		}
		if file.root.Len() != rootSize {
			t.Errorf("a root of %d bytes", file.root.Len())
		}
		if got := file.encode(); !bytes.Equal(got, b) {
			t.Errorf("%x is written as %x", b, got)
		}
	})
}

func BenchmarkKEK(b *testing.B) {
	dir, err := vfs.OS(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer dir.Close()
	s := open(dir, testBoard())
	b.ReportAllocs()
	for b.Loop() {
		mustKEK(b, s)
	}
}
