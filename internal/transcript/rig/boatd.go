package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A Boatd is one boatd after another over the same state directory.
type Boatd struct {
	Command []string // the program and what stands before "run"
	Dir     string   // where its service manager's socket lies; short
	Env     []string // added to this process's
	Stderr  io.Writer
	// Isolated gives the next one a network namespace with nothing in it.
	Isolated bool

	cmd   *exec.Cmd
	ended chan struct{} // closed when cmd has ended; err is set then
	err   error
}

// The times that a start and an end may take.
const (
	startTime = 60 * time.Second
	stopTime  = 30 * time.Second
)

// ErrRunning and ErrStopped: the process is not in the state that is needed.
var (
	ErrRunning = errors.New("boatd runs already")
	ErrStopped = errors.New("boatd does not run")
)

// Start starts boatd with a configuration file and returns when it says that it
// is ready (sd_notify(3)), or why it has ended instead.
func (b *Boatd) Start(ctx context.Context, config string) error {
	if b.cmd != nil {
		return ErrRunning
	}
	notify, err := listenNotify(filepath.Join(b.Dir, "notify"))
	if err != nil {
		return fmt.Errorf("starting boatd: %w", err)
	}
	defer notify.Close()
	if err := b.launch(config, notify.LocalAddr().String()); err != nil {
		return fmt.Errorf("starting boatd: %w", err)
	}
	ready := make(chan error, 1)
	go func() { ready <- awaitReady(notify) }()
	select {
	case err = <-ready:
	case <-b.ended:
		err = fmt.Errorf("it has ended: %w", b.err)
		b.cmd = nil
		return fmt.Errorf("starting boatd: %w", err)
	case <-time.After(startTime):
		err = errors.New("it is not ready in time")
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("starting boatd: %w", err), b.Kill())
	}
	return nil
}

func (b *Boatd) launch(config, notify string) error {
	args := append(append([]string(nil), b.Command[1:]...), "run", "--config", config)
	cmd := exec.Command(b.Command[0], args...)
	cmd.Env = append(append(cmd.Environ(), b.Env...), "NOTIFY_SOCKET="+notify)
	cmd.Stderr = b.Stderr
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if b.Isolated {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.cmd, b.ended = cmd, make(chan struct{})
	go func() {
		b.err = cmd.Wait()
		close(b.ended)
	}()
	return nil
}

// listenNotify opens the socket that sd_notify writes to.
func listenNotify(path string) (*net.UnixConn, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
}

func awaitReady(c *net.UnixConn) error {
	buf := make([]byte, 256)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return err
		}
		if string(buf[:n]) == "READY=1" {
			return nil
		}
	}
}

// Stop ends boatd with SIGTERM. An exit status other than 0 is an error.
func (b *Boatd) Stop() error {
	if b.cmd == nil {
		return ErrStopped
	}
	if err := b.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stopping boatd: %w", err)
	}
	select {
	case <-b.ended:
	case <-time.After(stopTime):
		return errors.Join(errors.New("stopping boatd: it does not end"), b.Kill())
	}
	b.cmd = nil
	if b.err != nil {
		return fmt.Errorf("stopping boatd: %w", b.err)
	}
	return nil
}

// Kill ends boatd with SIGKILL.
func (b *Boatd) Kill() error {
	if b.cmd == nil {
		return ErrStopped
	}
	err := b.cmd.Process.Kill()
	<-b.ended
	b.cmd = nil
	if err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing boatd: %w", err)
	}
	return nil
}

// Quit ends boatd with SIGQUIT, which makes it write what all of its goroutines
// do: for one that does not answer.
func (b *Boatd) Quit() error {
	if b.cmd == nil {
		return ErrStopped
	}
	if err := b.cmd.Process.Signal(syscall.SIGQUIT); err != nil {
		return fmt.Errorf("quitting boatd: %w", err)
	}
	select {
	case <-b.ended:
	case <-time.After(stopTime):
		return b.Kill()
	}
	b.cmd = nil
	return nil
}

// Close ends boatd if it runs, however.
func (b *Boatd) Close() error {
	if err := b.Kill(); err != nil && !errors.Is(err, ErrStopped) {
		return err
	}
	return nil
}

// Pid returns the process's id, 0 without one.
func (b *Boatd) Pid() int {
	if b.cmd == nil {
		return 0
	}
	return b.cmd.Process.Pid
}

// Ended is closed when the process that runs now has ended.
func (b *Boatd) Ended() <-chan struct{} { return b.ended }

// Flash makes every write to a file beyond its first byte fail, as on flash that
// has worn out, or work again. Pipes, sockets and terminals go on.
func (b *Boatd) Flash(good bool) error {
	if b.cmd == nil {
		return ErrStopped
	}
	limit := unix.Rlimit{Cur: 1, Max: unix.RLIM_INFINITY}
	if good {
		limit.Cur = unix.RLIM_INFINITY
	}
	if err := unix.Prlimit(b.Pid(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		return fmt.Errorf("limiting the files of boatd: %w", err)
	}
	return nil
}
