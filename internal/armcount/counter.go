package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	threads     = 256         // that the plugin tells apart
	counterSize = threads * 8 // bytes of its file
	// watchman is the second thread of a Go program, the runtime's own, whose
	// work goes by the clock. It is not counted.
	watchman = 1
)

// A counter is a file that the plugin counts in, mapped.
type counter struct {
	path string
	mem  []byte
}

// newCounter makes a file of zeros for a program that is to be started.
func newCounter(dir string) (*counter, error) {
	path := filepath.Join(dir, "counts")
	if err := os.WriteFile(path, make([]byte, counterSize), 0o600); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	mem, err := unix.Mmap(int(f.Fd()), 0, counterSize, unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("mapping %s: %w", path, err)
	}
	return &counter{path, mem}, nil
}

// now is what the program has done up to now.
func (c *counter) now() (sum int64) {
	for thread := range threads {
		if thread != watchman {
			sum += int64(binary.NativeEndian.Uint64(c.mem[thread*8:]))
		}
	}
	return sum
}

func (c *counter) close() error {
	return errors.Join(unix.Munmap(c.mem), os.Remove(c.path))
}

// guestBase is where qemu-arm is told to put the program's address space, so that
// the program's pages can be told from the emulator's.
const guestBase = 1 << 40

// emulated is the command line of a program on an emulated Cortex-A7.
func emulated(program ...string) []string {
	return append([]string{"qemu-arm", "-cpu", "cortex-a7", "-B", strconv.FormatInt(guestBase, 10)}, program...)
}

// counted is emulated, with the plugin.
func (c *counter) counted(plugin, program string) []string {
	return emulated("-plugin", plugin+",counts="+c.path, program)
}

// A footprint is the memory of an emulated program that is present, in bytes,
// without the emulator's.
type footprint struct {
	written int64 // pages of its own
	file    int64 // pages of its file, which the kernel can drop and read again
}

func footprintOf(pid int) (f footprint, err error) {
	smaps, err := os.Open(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		return f, err
	}
	defer smaps.Close()
	inside, lines := false, bufio.NewScanner(smaps)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if first, _, ok := strings.Cut(words[0], "-"); ok {
			at, err := strconv.ParseUint(first, 16, 64)
			inside = err == nil && at >= guestBase && at < guestBase+1<<32
			continue
		}
		if !inside || words[0] != "Rss:" && words[0] != "Anonymous:" {
			continue
		}
		kb, err := strconv.ParseInt(words[1], 10, 64)
		switch {
		case err != nil:
			return f, err
		case words[0] == "Rss:":
			f.file += kb << 10
		default: // comes behind, and is part of it
			f.written += kb << 10
			f.file -= kb << 10
		}
	}
	if f.written == 0 {
		return f, errors.Join(lines.Err(), fmt.Errorf("process %d has no emulated memory", pid))
	}
	return f, lines.Err()
}
