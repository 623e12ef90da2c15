package vfs

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Lock takes the directory for this process until the Closer is closed or the
// process ends, however it ends. ErrLocked when another has it. It locks the
// directory itself (flock), so that no file is left behind.
func Lock(dir string) (io.Closer, error) {
	fd, err := openat(unix.AT_FDCWD, dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	err = again(func() error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
	if err != nil {
		unix.Close(fd)
		if err == unix.EWOULDBLOCK {
			err = ErrLocked
		}
		return nil, &fs.PathError{Op: "lock", Path: dir, Err: err}
	}
	return os.NewFile(uintptr(fd), dir), nil
}

// CheckDurable returns ErrVolatile when what is written to the directory is
// gone after a reboot: tmpfs, ramfs, an overlay whose upper layer is on one of
// them or whose syncs are switched off. An overlay whose upper layer cannot be
// found is taken for volatile too.
func CheckDurable(dir string) error {
	return checkDurable(dir, mounts{statfs: statfs, info: func() ([]byte, error) {
		return os.ReadFile("/proc/self/mountinfo")
	}})
}

// mounts is what checkDurable asks the kernel.
type mounts struct {
	statfs func(dir string) (magic uint32, device string, err error)
	info   func() ([]byte, error)
}

// Overlays can lie on overlays; the kernel allows two (FILESYSTEM_MAX_STACK_DEPTH).
const maxStacked = 4

func checkDurable(dir string, m mounts) error {
	at := dir
	for range maxStacked {
		magic, device, err := m.statfs(at)
		if err != nil && at != dir {
			return fmt.Errorf("%s: %w: upper layer %s: %w", dir, ErrVolatile, at, err)
		}
		if err != nil {
			return &fs.PathError{Op: "statfs", Path: dir, Err: err}
		}
		switch magic {
		case unix.TMPFS_MAGIC, unix.RAMFS_MAGIC:
			return fmt.Errorf("%s: %w: %s is in memory", dir, ErrVolatile, at)
		case unix.OVERLAYFS_SUPER_MAGIC:
		default:
			return nil
		}
		info, err := m.info()
		if err != nil {
			return fmt.Errorf("%s: %w: overlay: %w", dir, ErrVolatile, err)
		}
		if at, err = upperDir(info, device); err != nil {
			return fmt.Errorf("%s: %w: %w", dir, ErrVolatile, err)
		}
	}
	return fmt.Errorf("%s: %w: too many overlays", dir, ErrVolatile)
}

// statfs returns the kind of the file system that dir is on, and its device as
// mountinfo writes it.
func statfs(dir string) (magic uint32, device string, err error) {
	var fst unix.Statfs_t
	if err := again(func() error { return unix.Statfs(dir, &fst) }); err != nil {
		return 0, "", err
	}
	var st unix.Stat_t
	if err := unix.Stat(dir, &st); err != nil {
		return 0, "", err
	}
	dev := uint64(st.Dev)
	return uint32(fst.Type), fmt.Sprintf("%d:%d", unix.Major(dev), unix.Minor(dev)), nil
}

// upperDir finds the upper layer of the overlay with this device number in
// /proc/self/mountinfo (proc_pid_mountinfo(5)): fields separated by spaces, the
// third is the device, and after a lone "-" come type, source and options.
func upperDir(mountinfo []byte, device string) (string, error) {
	for line := range bytes.Lines(mountinfo) {
		before, after, ok := strings.Cut(strings.TrimSpace(string(line)), " - ")
		f, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 3 || len(super) < 3 || f[2] != device || super[0] != "overlay" {
			continue
		}
		upper := ""
		for opt := range strings.SplitSeq(super[2], ",") {
			key, value, _ := strings.Cut(opt, "=")
			switch {
			case key == "volatile", opt == "fsync=volatile":
				return "", fmt.Errorf("overlay %s is mounted without syncs", device)
			case key == "upperdir":
				upper = unescape(value)
			}
		}
		if upper == "" {
			return "", fmt.Errorf("overlay %s has no upper layer", device)
		}
		return upper, nil
	}
	return "", fmt.Errorf("overlay %s is not in mountinfo", device)
}

// unescape undoes the octal escapes (\040) that the kernel writes.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+4 <= len(s) {
			if c, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(c))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
