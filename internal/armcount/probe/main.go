// Command probe runs single pieces of boatd on an emulated Cortex-A7 and writes
// what each takes, a line of three words: its name, instructions, allocations.
//
// It reads the plugin's counts in the file that COUNTS names. It runs on one
// processor and without garbage collection. The second thread of a Go program is
// the runtime's watchman, whose work goes by the clock: it is left out.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/internal/vfs/crashfs"
	"github.com/boatd/boatd/keystore"
	"github.com/boatd/boatd/keystore/soft"
	"github.com/boatd/boatd/tee/device"
	"github.com/boatd/boatd/wallet/access"
	"github.com/boatd/boatd/wallet/journal"
)

const threads, watchman = 256, 1

func main() {
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	counts, err := openCounts(os.Getenv("COUNTS"))
	if err == nil {
		err = run(&probe{counts})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run measures every piece. Only signatures with secp256k1 differ between the
// flavours: the one without cgo has nothing else to tell.
func run(p *probe) error {
	pieces := []func(*probe) error{k1, r1, lines, steps, unlock}
	if soft.Flavour() == "decred" {
		pieces = pieces[:1]
	}
	for _, piece := range pieces {
		if err := piece(p); err != nil {
			return err
		}
	}
	return nil
}

// A probe measures.
type probe struct{ counts *[threads]uint64 }

func openCounts(path string) (*[threads]uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, threads*8, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	return (*[threads]uint64)(unsafe.Pointer(&mem[0])), nil
}

func (p *probe) now() (sum uint64) {
	for thread, n := range p.counts {
		if thread != watchman {
			sum += n
		}
	}
	return sum
}

// measure does a piece of work n times, several times over, and writes the least
// that one took on average: what is more is the runtime's own doing.
func (p *probe) measure(name string, rounds, n int, work func() error) error {
	least, allocations := ^uint64(0), uint64(0)
	for range rounds {
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := p.now()
		for range n {
			if err := work(); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		took := p.now() - start
		runtime.ReadMemStats(&after)
		if took < least {
			least, allocations = took, after.Mallocs-before.Mallocs
		}
	}
	_, err := fmt.Println(name, least/uint64(n), allocations/uint64(n))
	return err
}

func k1(p *probe) error { return signatures(p, keystore.Secp256k1, "sign-secp256k1-"+soft.Flavour()) }
func r1(p *probe) error { return signatures(p, keystore.Secp256r1, "sign-secp256r1") }

// signatures are what a key in the soft store signs: its blob is opened, its
// secret used and wiped.
func signatures(p *probe, curve, name string) error {
	disk, ctx := crashfs.New(), context.Background()
	sealer := device.New(device.Options{FS: disk, Rand: rand.Reader, IDs: []string{"/serial"},
		ReadID: func(string) ([]byte, error) { return []byte("4711"), nil }})
	store := soft.New(sealer, rand.Reader)
	key, err := store.Generate(ctx, keystore.Spec{Curve: curve})
	if err != nil {
		return err
	}
	digest := make([]byte, 32)
	sign := func() error {
		digest[0]++
		_, err := store.Sign(ctx, key, digest)
		return err
	}
	if err := sign(); err != nil { // the tables of multiples are made once
		return err
	}
	return p.measure(name, 5, 20, sign)
}

// A port hands a line to the server and waits for its answer.
type port struct {
	typed  chan []byte
	answer chan struct{}
}

func (p *port) Read(b []byte) (int, error) {
	line, ok := <-p.typed
	if !ok {
		return 0, io.EOF
	}
	return copy(b, line), nil
}

func (p *port) Write(b []byte) (int, error) {
	if bytes.HasSuffix(b, []byte("\r\nOK\r\n")) {
		p.answer <- struct{}{}
	}
	return len(b), nil
}

func (p *port) Close() error { return nil }

// lines are AT lines: read, parsed, dispatched, answered.
func lines(p *probe) error {
	table, err := atcmd.NewTable(atcmd.StandardRows(), atcmd.ChannelRows())
	if err != nil {
		return err
	}
	server, err := atcmd.NewServer(atcmd.Config{Table: table, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	at := &port{make(chan []byte), make(chan struct{})}
	ended := make(chan error)
	go func() { ended <- server.Serve(context.Background(), at, atcmd.ChannelInfo{Name: "uart"}) }()
	say := func(line string) func() error {
		return func() error {
			at.typed <- []byte(line)
			<-at.answer
			return nil
		}
	}
	if err := say("ATE0\r")(); err != nil {
		return err
	}
	if err := p.measure("at-line", 5, 500, say("AT\r")); err != nil {
		return err
	}
	if err := p.measure("at-line-with-answer", 5, 500, say("AT+BOATERR?\r")); err != nil {
		return err
	}
	close(at.typed)
	return <-ended
}

// steps are records of 400 bytes, durable in a journal, on the kernel's file
// system in memory.
func steps(p *probe) error {
	// The kernel's part is not counted. The runtime's part is larger where a call
	// takes long and there is one processor only: it takes that away meanwhile.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	dir, err := os.MkdirTemp("/dev/shm", "armcount")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	disk, err := vfs.OS(dir)
	if err != nil {
		return err
	}
	j, err := journal.Open(journal.Options{FS: disk, Major: 1}, func([]byte) error { return nil })
	if err != nil {
		return err
	}
	defer j.Close()
	record := make([]byte, 400)
	return p.measure("journal-step", 5, 128, func() error {
		_, err := j.Append(record)
		return err
	})
}

// unlock is a PIN that is tried, at the cost of devices: argon2id and a comparison.
func unlock(p *probe) error {
	const pin, puk = "2580", "13572468"
	try, err := access.State{}.Change(access.Params{Cost: access.StandardCost(), Rand: rand.Reader}, nil, []byte(pin), []byte(puk))
	if err != nil {
		return err
	}
	state, err := try.Finish()
	if err != nil {
		return err
	}
	return p.measure("unlock", 2, 1, func() error {
		try, err := state.Unlock([]byte(pin))
		if err == nil {
			_, err = try.Finish()
		}
		return err
	})
}
