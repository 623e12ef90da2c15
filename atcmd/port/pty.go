package port

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
)

// A PTY is a pseudo terminal at a symbolic link. It exists from [OpenPTY] to
// Close, so a host can always open the link; each time one does is a port.
//
// A host that closes the terminal and opens it again faster than boatd runs
// stays in its session: the kernel does not tell the two apart.
type PTY struct {
	link   string
	slave  string
	master *os.File
	watch  *os.File // inotify on slave; nil: the kernel has none
	used   bool     // since it was cleaned
	again  time.Duration
}

// lookAgain is how often a terminal is looked at on a kernel without inotify.
const lookAgain = time.Second

// OpenPTY makes a pseudo terminal and puts a symbolic link to it in the place
// of link, where nothing or a symbolic link must be.
func OpenPTY(link string) (*PTY, error) {
	p := &PTY{link: link, again: lookAgain}
	if err := p.open(); err != nil {
		p.Close()
		return nil, fmt.Errorf("make terminal %s: %w", link, err)
	}
	return p, nil
}

func (p *PTY) open() error {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	p.master = os.NewFile(uintptr(fd), "/dev/ptmx")
	if err := control(p.master, p.unlock); err != nil {
		return err
	}
	p.watch = watchOpens(p.slave)
	if err := p.clean(); err != nil {
		return err
	}
	return replaceLink(p.slave, p.link)
}

// unlock lets the slave be opened and finds its name.
func (p *PTY) unlock(fd int) error {
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return err
	}
	n, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	p.slave = "/dev/pts/" + strconv.FormatUint(uint64(n), 10)
	return err
}

// watchOpens returns an inotify descriptor that becomes readable when the
// file is opened, or nil.
func watchOpens(name string) *os.File {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil
	}
	if _, err := unix.InotifyAddWatch(fd, name, unix.IN_OPEN); err != nil {
		unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), "inotify")
}

// clean makes the terminal as new: raw, and without what the last host did
// not read. That lies in the slave, and only a descriptor of the slave can
// drop it. Bytes that a host has written meanwhile stay. After it the master
// says whether the slave is open, which a master whose slave was never open
// does not.
func (p *PTY) clean() error {
	err := control(p.master, func(fd int) error {
		return errors.Join(setRaw(fd), unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCOFLUSH))
	})
	if err != nil {
		return fmt.Errorf("reset %s: %w", p.slave, err)
	}
	fd, err := unix.Open(p.slave, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", p.slave, err)
	}
	p.used = false
	return errors.Join(unix.IoctlSetInt(fd, unix.TCFLSH, unix.TCIFLUSH), unix.Close(fd))
}

// Open waits until a host has the terminal open, or has left something in it.
func (p *PTY) Open(ctx context.Context) (atcmd.Port, error) {
	if p.used {
		if err := p.clean(); err != nil {
			return nil, err
		}
	}
	if err := p.waitHost(ctx); err != nil {
		return nil, fmt.Errorf("wait for a host on %s: %w", p.link, err)
	}
	p.used = true
	return &ptyPort{pty: p}, p.master.SetDeadline(time.Time{})
}

func (p *PTY) waitHost(ctx context.Context) error {
	if p.watch != nil {
		if err := p.watch.SetReadDeadline(time.Time{}); err != nil {
			return err
		}
		defer context.AfterFunc(ctx, func() { _ = p.watch.SetReadDeadline(past) })()
	}
	for {
		here, err := p.hostHere()
		if here || err != nil {
			return err
		}
		// One that came and went unnoticed may have changed the modes.
		if err := control(p.master, setRaw); err != nil {
			return err
		}
		if err := p.waitOpen(ctx); err != nil {
			return err
		}
	}
}

// hostHere says whether a host has the terminal open, or has left something
// to be read in it.
func (p *PTY) hostHere() (here bool, err error) {
	err = control(p.master, func(fd int) error {
		events, err := look(fd)
		here = events&unix.POLLHUP == 0 || events&unix.POLLIN != 0
		return err
	})
	return here, err
}

// look returns the state of a master, which is hung up when no slave is open.
func look(fd int) (events int16, err error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, 0)
		if !errors.Is(err, unix.EINTR) {
			return fds[0].Revents, err
		}
	}
}

// waitOpen returns when the slave may have been opened; clean does it too.
func (p *PTY) waitOpen(ctx context.Context) error {
	if p.watch == nil {
		sleep(ctx, p.again)
		return ctx.Err()
	}
	var events [64 * unix.SizeofInotifyEvent]byte
	_, err := p.watch.Read(events[:])
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Close removes the link, if it is still this terminal's, and the terminal.
func (p *PTY) Close() error {
	var errs []error
	if target, err := os.Readlink(p.link); err == nil && target == p.slave {
		errs = append(errs, os.Remove(p.link))
	}
	for _, f := range []*os.File{p.watch, p.master} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// replaceLink puts a symbolic link in the place of another or of nothing, in
// one step: at any time there is one that works.
func replaceLink(target, link string) error {
	info, err := os.Lstat(link)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case info.Mode()&os.ModeSymlink == 0:
		return fmt.Errorf("%s is there and not a symbolic link", link)
	}
	fresh := link + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(target, fresh); err != nil {
		return err
	}
	return os.Rename(fresh, link)
}

// A ptyPort is the time from a host's opening of the terminal to its closing.
type ptyPort struct {
	pty  *PTY
	once sync.Once
	gone atomic.Bool
}

// Read returns io.EOF when the host has closed the terminal.
func (p *ptyPort) Read(b []byte) (int, error) {
	n, err := p.pty.master.Read(b)
	if errors.Is(err, unix.EIO) {
		err = p.hangUp()
	}
	return n, err
}

// Write returns io.EOF when the host has closed the terminal, also while it
// waits for room: the kernel keeps what nobody will read, and the reader may
// not come to notice.
func (p *ptyPort) Write(b []byte) (int, error) {
	raw, err := p.pty.master.SyscallConn()
	if err != nil {
		return 0, err
	}
	done, hup := 0, false
	var inner error
	err = raw.Write(func(fd uintptr) bool {
		var n int
		n, hup, inner = writeSome(int(fd), b[done:])
		done += n
		return hup || inner != nil || done == len(b)
	})
	switch {
	case hup || p.gone.Load():
		return done, p.hangUp()
	case inner != nil:
		return done, inner
	}
	return done, err
}

// writeSome writes what there is room for. No room and no host is a hang-up.
func writeSome(fd int, b []byte) (done int, hup bool, err error) {
	for done < len(b) {
		n, err := unix.Write(fd, b[done:])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN): // the poller calls again when anything changes
			events, err := look(fd)
			return done, events&unix.POLLHUP != 0, err
		case err != nil:
			return done, false, err
		default:
			done += n
		}
	}
	return done, false, nil
}

// hangUp ends the port and cleans the terminal, at once: the next host may be
// quick. It returns io.EOF, or why the terminal is not clean.
func (p *ptyPort) hangUp() (err error) {
	p.once.Do(func() {
		p.gone.Store(true)
		err = errors.Join(p.Close(), p.pty.clean())
	})
	if err == nil {
		err = io.EOF
	}
	return err
}

// Close frees reader and writer; the terminal stays.
func (p *ptyPort) Close() error { return p.pty.master.SetDeadline(past) }
