package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A bench is where things are measured.
type bench struct {
	build string // the folder with what was built
	dir   string // for files
	rows  []row
}

func (b *bench) add(name, unit string, value int64) {
	b.rows = append(b.rows, row{name: name, unit: unit, value: value})
}

func (b *bench) path(name string) string { return filepath.Join(b.build, name) }

func (b *bench) plugin() string { return b.path("armcount/count.so") }

// sizes are those of the device's binaries.
func (b *bench) sizes(context.Context) error {
	for _, name := range []string{"boatd-armv7", "boatd-armv7-nocgo"} {
		info, err := os.Stat(b.path(name))
		if err != nil {
			return err
		}
		b.add("size-"+name, "bytes", info.Size())
	}
	return nil
}

// packages are those that the table has a row for: package-armhf.deb is the one
// file in build/packages whose name ends in armhf.deb.
func (b *bench) packages(expected []row) error {
	for _, e := range expected {
		ending, ok := strings.CutPrefix(e.name, packaged)
		if !ok {
			continue
		}
		files, err := filepath.Glob(b.path("packages/*" + ending))
		if err != nil || len(files) != 1 {
			return errors.Join(err, fmt.Errorf("%s: %d files, not one", e.name, len(files)))
		}
		info, err := os.Stat(files[0])
		if err != nil {
			return err
		}
		b.add(e.name, "bytes", info.Size())
	}
	return nil
}

// programs are those that count themselves, and write name, instructions and
// allocations.
func (b *bench) programs(ctx context.Context) error {
	for _, name := range []string{"probe", "probe-nocgo", "sign", "poll"} {
		if err := b.program(ctx, name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (b *bench) program(ctx context.Context, name string) error {
	c, err := newCounter(b.dir)
	if err != nil {
		return err
	}
	defer c.close()
	args := c.counted(b.plugin(), b.path("armcount/"+name))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(cmd.Environ(), "COUNTS="+c.path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(out)) {
		var what string
		var instructions, allocations int64
		if _, err := fmt.Sscan(line, &what, &instructions, &allocations); err != nil {
			return fmt.Errorf("%q: %w", line, err)
		}
		b.add(what, "instructions", instructions)
		if allocations > 0 {
			b.add(what+allocated, "allocations", allocations)
		}
	}
	return nil
}

// allocated ends the name of a row that counts the allocations of another.
const allocated = "-allocations"

// packaged begins the name of a row that is the size of a package.
const packaged = "package-"

const (
	// starts are of which the least counts: where system calls take long, the
	// runtime puts more threads to work.
	starts = 5
	// single is how many payments there are, one after the other. Their median
	// counts: some find the garbage collector at work. The first opens the
	// connection and is left out.
	single = 12
)

// daemon counts the real binary: its start, and payments over HTTP.
func (b *bench) daemon(ctx context.Context) error {
	var started, paid []int64
	for n := range starts {
		s, p, err := b.life(ctx, n == starts-1)
		if err != nil {
			return err
		}
		started, paid = append(started, s), append(paid, p...)
	}
	b.add("start", "instructions", slices.Min(started))
	b.add("transaction", "instructions", median(paid[1:]))
	return nil
}

// life is from the start of a boatd to its end.
func (b *bench) life(ctx context.Context, pay bool) (started int64, paid []int64, err error) {
	c, err := newCounter(b.dir)
	if err != nil {
		return 0, nil, err
	}
	defer c.close()
	d, err := start(ctx, c.counted(b.plugin(), b.path("boatd-armv7")))
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if _, err := d.say("AT+BOATREADY?"); err != nil {
		return 0, nil, err
	}
	started = c.now()
	if !pay {
		return started, nil, nil
	}
	if err := d.wallets(ctx, 1); err != nil {
		return 0, nil, err
	}
	for range single {
		before := c.now()
		id, err := d.order(0)
		if err == nil {
			err = d.sent(id)
		}
		if err == nil {
			err = d.mine(ctx)
		}
		if err == nil {
			err = d.confirmed(id)
		}
		if err != nil {
			return 0, nil, err
		}
		paid = append(paid, c.now()-before)
	}
	return started, paid, nil
}

func median(all []int64) int64 {
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}

// memory is what the real binary keeps after a thousand payments, and what a PIN
// takes for a moment. The plugin is not needed.
func (b *bench) memory(ctx context.Context) (err error) {
	d, err := start(ctx, emulated(b.path("boatd-armv7")))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	const wallets = 4
	if err := d.wallets(ctx, wallets); err != nil {
		return err
	}
	if err := d.payments(ctx, 1000/(wallets*inFlight)+1, wallets); err != nil {
		return err
	}
	before, err := footprintOf(d.Pid())
	if err != nil {
		return err
	}
	b.add("memory-written", "memory", before.written)
	b.add("memory-present", "memory", before.written+before.file)
	peak, err := d.unlock()
	if err != nil {
		return err
	}
	after, err := footprintOf(d.Pid())
	if err != nil {
		return err
	}
	b.add("unlock-memory", "memory", peak-before.written)
	b.add("unlock-memory-kept", "memory", max(0, after.written-before.written))
	return nil
}

// unlock tries the right PIN and returns the most memory that was seen meanwhile.
func (d *device) unlock() (peak int64, err error) {
	if _, err := d.say("AT+BOATLOCK"); err != nil {
		return 0, err
	}
	answered := make(chan error, 1)
	go func() {
		_, err := d.say(`AT+BOATPIN="2580"`)
		answered <- err
	}()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case err := <-answered:
			return peak, err
		case <-look.C:
			f, err := footprintOf(d.Pid())
			if err != nil {
				return 0, err
			}
			peak = max(peak, f.written)
		}
	}
}

// processorTime is what a process has used, by the clock's ticks of 10 ms.
func processorTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, behind, _ := strings.Cut(string(text), ") ") // proc(5): the third field follows
	fields := strings.Fields(behind)
	if len(fields) < 13 {
		return 0, fmt.Errorf("process %d: %q", pid, text)
	}
	ticks := 0
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(f)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
