package device

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"

	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/tee"
)

// The promise: a KEK that was given out comes back for ever, until Renew is
// asked for; one that a finished Renew replaced never does.

// A history is what a caller has seen of a sealer.
type history struct {
	used     []byte   // the KEK that keys are sealed with; nil before the first
	gone     [][]byte // those before a Renew that returned
	renewing bool     // a Renew was asked for and has not returned
}

// kek asks for the KEK as somebody who seals with it.
func (h *history) kek(s *Sealer) error {
	k, err := s.KEK(context.Background())
	if err != nil {
		return err
	}
	if h.used != nil && !bytes.Equal(k, h.used) && !h.renewing {
		return fmt.Errorf("lost: the KEK was %x and is %x", h.used, k)
	}
	for _, old := range h.gone {
		if bytes.Equal(k, old) {
			return fmt.Errorf("risen: %x was renewed away", k)
		}
	}
	if h.renewing && !bytes.Equal(k, h.used) {
		// As good as renewed: from here on this one must stay.
		h.renewing = false
	}
	h.used = k
	return nil
}

func (h *history) renew(s *Sealer) error {
	h.renewing = true
	if err := s.Renew(context.Background()); err != nil {
		return err
	}
	h.gone = append(h.gone, h.used)
	h.used, h.renewing = nil, false
	return nil
}

// scripts are what a daemon does; each step is the first after a start or not.
var scripts = map[string][]func(h *history, s *Sealer) error{
	"first use": {(*history).kek, (*history).kek},
	"renew":     {(*history).kek, (*history).renew, (*history).kek},
	"renew twice": {
		(*history).kek, (*history).renew, (*history).renew, (*history).kek,
	},
	"renew before use": {(*history).renew, (*history).kek},
	"renew and off":    {(*history).kek, (*history).renew},
}

func run(h *history, d *crashfs.FS, script []func(*history, *Sealer) error) error {
	s := open(d, testBoard())
	for _, step := range script {
		if err := step(h, s); err != nil {
			return err
		}
	}
	return nil
}

// TestPowerCut cuts the power in every operation of every script, opens every
// state that can be left, uses it, cuts again in every operation of that, and
// wants the promise kept and a working sealer each time.
func TestPowerCut(t *testing.T) {
	states := 0
	for name, script := range scripts {
		for cut := 1; ; cut++ {
			var h history
			d := crashfs.New()
			d.CutAfter(cut)
			err := run(&h, d, script)
			if err != nil && !errors.Is(err, crashfs.ErrPower) {
				t.Fatalf("%s, cut %d: %v", name, cut, err)
			}
			for choice, found := range d.Outcomes(4096, 1) {
				states++
				where := fmt.Sprintf("%s, cut %d, %v", name, cut, choice)
				if !usable(t, where, h, found.Clone()) {
					return
				}
				cutAgain(t, where, h, found)
			}
			if err == nil { // and after the last one
				break
			}
		}
	}
	t.Logf("%d states", states)
	if states < 100 {
		t.Error("fewer states than there should be")
	}
}

// usable uses the sealer that a power cut has left, then asks for the renewal
// once more if one was under way, as its caller does.
func usable(t *testing.T, where string, h history, d *crashfs.FS) bool {
	t.Helper()
	script := []func(*history, *Sealer) error{(*history).kek}
	if h.renewing {
		script = append(script, (*history).renew, (*history).kek)
	}
	if err := run(&h, d, script); err != nil {
		t.Errorf("%s: %v", where, err)
		return false
	}
	return true
}

func cutAgain(t *testing.T, where string, h history, found *crashfs.FS) {
	t.Helper()
	for cut := 1; ; cut++ {
		h, d := h, found.Clone()
		d.CutAfter(cut)
		script := []func(*history, *Sealer) error{(*history).kek}
		if h.renewing {
			script = []func(*history, *Sealer) error{(*history).renew, (*history).kek}
		}
		err := run(&h, d, script)
		if err == nil {
			return
		}
		if !errors.Is(err, crashfs.ErrPower) {
			t.Fatalf("%s, then cut %d: %v", where, cut, err)
		}
		for choice, found := range d.Outcomes(256, 2) {
			if !usable(t, fmt.Sprintf("%s, then cut %d, %v", where, cut, choice), h, found) {
				t.FailNow()
			}
		}
	}
}

// TestKilled: the process dies, the power stays, and is cut later. What the
// next process gives out must be durable although it did not write it.
func TestKilled(t *testing.T) {
	for name, script := range scripts {
		for cut := 1; ; cut++ {
			var now, h history
			var killed *crashfs.FS
			d := crashfs.New()
			ops := 0
			d.Watch(func() {
				if ops++; ops == cut {
					h, killed = now, d.Clone()
				}
			})
			if err := run(&now, d, script); err != nil {
				t.Fatal(err)
			}
			if killed == nil {
				break
			}
			if err := run(&h, killed, []func(*history, *Sealer) error{(*history).kek}); err != nil {
				t.Fatalf("%s, killed in operation %d: %v", name, cut, err)
			}
			for choice, found := range killed.Outcomes(4096, 3) {
				if !usable(t, fmt.Sprintf("%s, killed in operation %d, %v", name, cut, choice), h, found) {
					return
				}
			}
		}
	}
}

// TestFaults: every operation fails once, with what flash answers. The call
// says so with ErrUnavailable; afterwards, and after a power cut, the promise
// holds.
func TestFaults(t *testing.T) {
	for _, fault := range []error{syscall.EIO, syscall.ENOSPC, syscall.EROFS} {
		for name, script := range scripts {
			for at := 1; ; at++ {
				var h history
				d := crashfs.New()
				d.Inject(crashfs.Fault{At: at, Count: 1, Err: fault})
				s := open(d, testBoard())
				failed := false
				for _, step := range script {
					err := step(&h, s)
					if err == nil {
						continue
					}
					if !errors.Is(err, tee.ErrUnavailable) || !errors.Is(err, fault) {
						t.Fatalf("%s, %v at %d: %v", name, fault, at, err)
					}
					failed = true
					// The same process tries again; a destruction that was done
					// in halves leaves a file that only Renew mends.
					again := step(&h, s)
					if errors.Is(again, tee.ErrDamaged) && h.renewing {
						again = h.renew(s)
					}
					if again != nil {
						t.Fatalf("%s, %v at %d, again: %v", name, fault, at, again)
					}
				}
				if !failed {
					break
				}
				for choice, found := range d.Outcomes(4096, 4) {
					if !usable(t, fmt.Sprintf("%s, %v at %d, %v", name, fault, at, choice), h, found) {
						return
					}
				}
			}
		}
	}
}

// TestReadFault: a file that cannot be read is neither damaged nor absent.
func TestReadFault(t *testing.T) {
	d := crashfs.New()
	s := open(d, testBoard())
	want := mustKEK(t, s)
	d.FailReads(syscall.EIO)
	if k, err := s.KEK(t.Context()); !errors.Is(err, tee.ErrUnavailable) || !errors.Is(err, syscall.EIO) {
		t.Errorf("%x, %v", k, err)
	}
	d.Heal()
	d.ShortReads()
	if got := mustKEK(t, s); !bytes.Equal(got, want) {
		t.Errorf("short reads: %x, want %x", got, want)
	}
}
