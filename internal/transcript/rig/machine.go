package rig

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/boatd/boatd/internal/transcript"
)

// A Machine is where a stage's boatd runs, one after another over the same
// state directory.
type Machine interface {
	// Dir is what $DIR stands for: a directory that boatd may write to.
	Dir() string
	// Channels are the tables of the channels uart and local.
	Channels() string
	// Node is the URL by which a node of this machine is reached from there.
	Node(url string) string
	// Start starts boatd with a configuration and returns when it is ready.
	Start(ctx context.Context, config string) error
	// Stop ends it in order, which must go well.
	Stop() error
	// Kill ends it with SIGKILL.
	Kill() error
	// Dial opens a channel.
	Dial(channel string) (io.ReadWriteCloser, error)
	// Log is what boatd has logged so far.
	Log() string
	Close() error
}

// here is this machine: a process, terminals and sockets in a directory.
type here struct {
	dir   string
	boatd Boatd
	log   logBuffer
}

// newHere makes the directory, with the files that a transcript has.
func newHere(boatd []string, t *transcript.Transcript) (*here, error) {
	// Sockets have short paths, so this is not the test's own directory.
	dir, err := os.MkdirTemp("", "boatd")
	if err != nil {
		return nil, err
	}
	h := &here{dir: dir}
	// A race in a boatd that was built to look for races ends it at once.
	h.boatd = Boatd{Command: boatd, Dir: dir, Stderr: &h.log, Env: []string{"GORACE=halt_on_error=1"}}
	for _, section := range t.Sections {
		if name, ok := strings.CutPrefix(section.Name, "file "); ok {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), []byte(section.Text), 0o600); err != nil {
				return nil, errors.Join(err, h.Close())
			}
		}
	}
	return h, nil
}

func (h *here) Dir() string            { return h.dir }
func (h *here) Node(url string) string { return url }

func (h *here) Channels() string {
	return `
[[channel]]
name = "uart"
type = "pty"
link = "$DIR/uart"

[[channel]]
name = "local"
type = "unix"
path = "$DIR/local"
`
}

func (h *here) Start(ctx context.Context, config string) error {
	path := filepath.Join(h.dir, "boatd.toml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return err
	}
	return h.boatd.Start(ctx, path)
}

func (h *here) Stop() error { return h.boatd.Stop() }
func (h *here) Kill() error { return h.boatd.Kill() }
func (h *here) Log() string { return h.log.String() }

// Dial opens the terminal or the socket of that name in the directory.
func (h *here) Dial(channel string) (io.ReadWriteCloser, error) {
	path := filepath.Join(h.dir, channel)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode()&os.ModeSocket != 0 {
		return DialUnix(path)
	}
	return OpenTerminal(path)
}

func (h *here) Close() error {
	return errors.Join(h.boatd.Close(), os.RemoveAll(h.dir))
}
