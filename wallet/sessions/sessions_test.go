package sessions

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"syscall"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/tee"
	"github.com/boatd/boatd/wallet/book"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

// A sealer has the key that it is given, or none.
type sealer struct{ key []byte }

func (s *sealer) Label() string { return "test" }

func (s *sealer) KEK(context.Context) ([]byte, error) {
	if s.key == nil {
		return nil, tee.ErrUnavailable
	}
	return bytes.Clone(s.key), nil
}

func (s *sealer) Renew(context.Context) error { return nil }

// A device is flash, a seal and a clock that only moves when told.
type device struct {
	t    testing.TB
	fs   *crashfs.FS
	seal *sealer
	now  time.Time
	book *book.Book
	*Store
}

func newDevice(t testing.TB) *device {
	d := &device{t: t, fs: crashfs.New(), seal: &sealer{bytes.Repeat([]byte{7}, tee.KeySize)}, now: time.Unix(1_800_000_000, 0)}
	d.start()
	return d
}

// start is a start after a power cut: nothing is written at the end before it.
func (d *device) start() {
	d.t.Helper()
	var err error
	log := slog.New(slog.DiscardHandler)
	d.book, err = book.Open(book.Config{FS: d.fs, Now: func() time.Time { return d.now }, Log: log, KeepEnded: 5, Journal: journal.Options{Chunk: 4096, RotateAt: 1 << 20}})
	if err != nil {
		d.t.Fatal(err)
	}
	d.Store = New(Config{Book: d.book, Sealer: d.seal, Rand: rand.Reader, Log: log})
}

func (d *device) has(what, key, want string) {
	d.t.Helper()
	if got := d.Load(key); string(got) != want {
		d.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// writes counts the changes of the book that f makes.
func (d *device) writes(f func()) uint64 {
	before := d.book.Commits()
	f()
	return d.book.Commits() - before
}

func TestKept(t *testing.T) {
	d := newDevice(t)
	d.has("nothing", "a", "")
	d.Keep("a", []byte("one"))
	d.has("in memory", "a", "one")
	d.Write(t.Context(), false)
	d.Keep("b", []byte("lost"))
	d.start()
	d.has("after a restart", "a", "one")
	d.has("what was never written", "b", "")
	d.book.View(func(st *ledger.State) {
		if blob := st.Sessions["a"].Blob; bytes.Contains(blob, []byte("one")) || len(blob) != nonceEnd+3+16 {
			t.Errorf("on flash: %q", blob)
		}
	})
	d.Keep("a", nil)
	d.Write(t.Context(), true)
	d.start()
	d.has("forgotten", "a", "")
	d.Keep("a", make([]byte, ledger.MaxSession))
	d.has("too large", "a", "")
}

// TestSeldom: flash is written for the first session and then once in six hours of
// running time, over all restarts, however often servers give new ones.
func TestSeldom(t *testing.T) {
	d := newDevice(t)
	n := d.writes(func() {
		for i := range 100 {
			d.Keep("a", fmt.Append(nil, i))
			d.Write(t.Context(), false)
			d.now = d.now.Add(time.Minute)
		}
	})
	if n != 1 {
		t.Errorf("%d writes in 100 minutes", n)
	}
	d.Write(t.Context(), true)
	d.start()
	d.has("written at the stop", "a", "99")
	n = d.writes(func() {
		for i := range 13 * 60 {
			d.Keep("a", fmt.Append(nil, i))
			d.Write(t.Context(), false)
			d.now = d.now.Add(time.Minute)
		}
	})
	if n != 2 {
		t.Errorf("%d writes in 13 hours", n)
	}
	if n = d.writes(func() { d.Write(t.Context(), true); d.Write(t.Context(), true) }); n != 1 {
		t.Errorf("%d writes at two stops", n)
	}
}

// TestUnsealable: what cannot be opened is as good as nothing, and makes way.
func TestUnsealable(t *testing.T) {
	for name, spoil := range map[string]func(d *device, blob []byte) []byte{
		"another seal": func(d *device, blob []byte) []byte { d.seal.key[0]++; return blob },
		"no seal":      func(d *device, blob []byte) []byte { d.seal.key = nil; return blob },
		"a byte":       func(_ *device, blob []byte) []byte { blob[len(blob)-1] ^= 1; return blob },
		"the nonce":    func(_ *device, blob []byte) []byte { blob[3] ^= 1; return blob },
		"version":      func(_ *device, blob []byte) []byte { blob[0]++; return blob },
		"cut short":    func(_ *device, blob []byte) []byte { return blob[:10] },
	} {
		d := newDevice(t)
		d.Keep("a", []byte("one"))
		d.Write(t.Context(), false)
		d.start()
		var blob []byte
		d.book.View(func(st *ledger.State) { blob = bytes.Clone(st.Sessions["a"].Blob) })
		blob = spoil(d, blob)
		for _, key := range []string{"a", "b"} { // "b": it is another server's
			if err := d.book.Update(func(u *book.Update) error { u.Add(ledger.Session{Key: key, Blob: blob}); return nil }); err != nil {
				t.Fatal(err)
			}
			d.has(name, key, "")
		}
		d.seal.key = bytes.Repeat([]byte{9}, tee.KeySize)
		d.Keep("a", []byte("two"))
		d.Write(t.Context(), true)
		d.start()
		d.has(name+", then another one", "a", "two")
	}
}

// TestMany: sessions are bounded in number; those that nobody uses make way.
func TestMany(t *testing.T) {
	d := newDevice(t)
	for i := range 3 * ledger.MaxSessions {
		d.Keep(fmt.Sprint("old", i), []byte("x"))
	}
	d.Write(t.Context(), true)
	d.start()
	d.Load("old1")
	for i := range 3 {
		d.Keep(fmt.Sprint("new", i), []byte("y"))
	}
	d.Write(t.Context(), true)
	d.start()
	for key, want := range map[string]string{"old1": "x", "new0": "y", "new1": "y", "new2": "y"} {
		d.has(key, key, want)
	}
	d.book.View(func(st *ledger.State) {
		if n := len(st.Sessions); n != ledger.MaxSessions {
			t.Errorf("%d sessions", n)
		}
	})
}

// TestPowerCut: wherever the power fails in a write, the journal opens and there
// is the old session, the new one or none.
func TestPowerCut(t *testing.T) {
	d := newDevice(t)
	d.Keep("a", []byte("old"))
	d.Write(t.Context(), true)
	d.Keep("a", []byte("new"))
	var after []*crashfs.FS
	d.fs.Watch(func() {
		for _, fs := range d.fs.Outcomes(8, uint64(len(after))) {
			after = append(after, fs)
		}
	})
	d.Write(t.Context(), true)
	d.fs.Watch(nil)
	seen := map[string]int{}
	for _, fs := range after {
		cut := &device{t: t, fs: fs, seal: d.seal, now: d.now}
		cut.start()
		seen[string(cut.Load("a"))]++
	}
	if len(after) == 0 || seen["old"] == 0 || seen["old"]+seen["new"] != len(after) {
		t.Errorf("of %d: %v", len(after), seen)
	}
}

// TestFlashFails: a session that cannot be written is nobody's trouble.
func TestFlashFails(t *testing.T) {
	d := newDevice(t)
	d.Keep("a", []byte("one"))
	d.fs.Inject(crashfs.Fault{At: 1, Err: syscall.ENOSPC})
	d.Write(t.Context(), false)
	d.has("in memory", "a", "one")
	d.fs.Heal()
	if err := d.book.Update(func(u *book.Update) error { u.Add(u.State().Meta); return nil }); err != nil && !errors.Is(err, book.ErrFlash) {
		t.Errorf("the book: %v", err)
	}
	if n := d.writes(func() { d.Write(t.Context(), false) }); n != 0 {
		t.Error("it is tried again at once")
	}
	d.Write(t.Context(), true)
	d.start()
	d.has("after it", "a", "one")
}
