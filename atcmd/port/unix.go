package port

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/budget"
)

// unixMax is how many sessions a socket has at once. It bounds memory: each may
// fill its data slots. When all places are taken there are two more, for spareTime:
// whoever looks after the daemon gets an answer all the same. What comes above is
// closed.
const (
	unixMax   = 8
	spareMax  = 2
	spareTime = 10 * time.Second
	endless   = time.Duration(1<<63 - 1)
)

// unixMode: who may connect is who may be in the group.
const unixMode = 0o660

// A Unix is a stream socket in the file system, of which each connection is a
// session.
type Unix struct {
	path     string
	listener *net.UnixListener
	self     os.FileInfo // the socket, to know it again at the end
}

// Listen makes the socket, mode 0660. A socket that is there and answers is
// [ErrInUse]; one that nobody listens on is replaced; anything else at path
// is an error.
func Listen(path string) (*Unix, error) {
	u := &Unix{path: path}
	if err := u.listen(); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", path, err)
	}
	return u, nil
}

// listen binds beside path and moves the socket there when it has its mode,
// so that nobody else can connect before.
func (u *Unix) listen() error {
	if err := checkStale(u.path); err != nil {
		return err
	}
	fresh := u.path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return err
	}
	l.SetUnlinkOnClose(false)
	if err := u.place(fresh); err != nil {
		return errors.Join(err, l.Close())
	}
	u.listener = l
	return nil
}

func (u *Unix) place(fresh string) (err error) {
	if err := os.Chmod(fresh, unixMode); err != nil {
		return err
	}
	if u.self, err = os.Lstat(fresh); err != nil {
		return err
	}
	return os.Rename(fresh, u.path)
}

// checkStale allows nothing at path, or a socket that nobody answers on.
func checkStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&os.ModeSocket == 0:
		return errors.New("is there and not a socket")
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	switch {
	case err == nil:
		c.Close()
		return ErrInUse
	case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
		return nil
	}
	return err
}

// Run serves every connection with a session of its own, at most 8 at once,
// until ctx ends, whose error it returns when the last session has ended.
func (u *Unix) Run(ctx context.Context, serve func(context.Context, atcmd.Port) error, log *slog.Logger) error {
	defer context.AfterFunc(ctx, func() { u.listener.Close() })()
	var sessions sync.WaitGroup
	defer sessions.Wait()
	host := func(c *net.UnixConn, place <-chan struct{}, limit time.Duration) {
		sessions.Go(func() {
			defer func() { <-place }()
			defer c.Close()
			ctx, cancel := context.WithTimeout(ctx, limit)
			defer cancel()
			if err := serve(ctx, connection{c}); err != nil && ctx.Err() == nil {
				log.Info("connection has ended", "path", u.path, "err", err)
			}
		})
	}
	places, spare := make(chan struct{}, unixMax), make(chan struct{}, spareMax)
	refused := budget.Budget{Burst: 1, Every: time.Minute} // lines in the log
	for pause := pauseMin; ; {
		c, err := u.listener.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				c.Close()
			}
			return ctx.Err()
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("accept on %s: %w", u.path, err)
		case err != nil: // no descriptor is free, or the like
			log.Warn("cannot accept a connection", "path", u.path, "err", err)
			sleep(ctx, pause)
			pause = min(2*pause, pauseMax)
			continue
		}
		pause = pauseMin
		select {
		case places <- struct{}{}:
			host(c, places, endless)
			continue
		default:
		}
		select {
		case spare <- struct{}{}:
			host(c, spare, spareTime)
		default:
			if refused.Take(time.Now()) {
				log.Warn("connections are refused: too many", "path", u.path)
			}
			c.Close()
		}
	}
}

// A connection is the port of one session.
type connection struct{ *net.UnixConn }

// HalfClosed implements atcmd.HalfCloser: a client that has sent all that it
// wanted to may still read.
func (c connection) HalfClosed() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	gone := true
	err = raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd)}}
		n, err := unix.Poll(p, 0)
		gone = err != nil || n != 0 && p[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return err == nil && !gone
}

// Close closes the socket and removes it, unless another has taken its place.
func (u *Unix) Close() error {
	err := u.listener.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if now, e := os.Lstat(u.path); e == nil && os.SameFile(now, u.self) {
		err = errors.Join(err, os.Remove(u.path))
	}
	return err
}
