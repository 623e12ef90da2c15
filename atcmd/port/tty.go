package port

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// control calls f with the descriptor of file, which stays open meanwhile.
func control(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// past is a deadline that frees who waits.
var past = time.Unix(1, 0)

// setFlow turns RTS/CTS flow control of a terminal on or off, and reads back
// what it is: a driver without the lines drops the flag without an error.
func setFlow(fd int, on bool) (bool, error) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return false, err
	}
	t.Cflag &^= unix.CRTSCTS
	if on {
		t.Cflag |= unix.CRTSCTS
	}
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, t); err != nil {
		return false, err
	}
	return getFlow(fd)
}

func getFlow(fd int) (bool, error) {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return false, err
	}
	return t.Cflag&unix.CRTSCTS != 0, nil
}

// setRaw makes a terminal pass all bytes as they are, at once.
func setRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8 | unix.CREAD | unix.CLOCAL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// drain waits until a terminal has sent what was written to it, but not longer
// than limit: a host may hold it with flow control for ever.
func drain(fd int, limit time.Duration) error {
	const step = 5 * time.Millisecond
	for until := time.Now().Add(limit); ; time.Sleep(step) {
		n, err := unix.IoctlGetInt(fd, unix.TIOCOUTQ)
		switch {
		case err != nil:
			return err
		case n == 0:
			// What the UART itself still holds; the driver bounds this wait.
			return unix.IoctlSetInt(fd, unix.TCSBRK, 1)
		case time.Now().After(until):
			return os.ErrDeadlineExceeded
		}
	}
}
