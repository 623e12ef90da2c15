package vfs

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// A Dir is a directory of the operating system as an FS. It holds the directory
// itself, not its path: what is later moved or mounted over the path changes
// nothing.
type Dir struct {
	d *os.File
}

var (
	_ FS      = (*Dir)(nil)
	_ File    = file{}
	_ Dropper = file{}
)

// OS opens the directory at path dir, which must exist. Its files are regular
// files; symbolic links are refused, not followed.
func OS(dir string) (*Dir, error) {
	fd, err := openat(unix.AT_FDCWD, dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: err}
	}
	return &Dir{d: os.NewFile(uintptr(fd), dir)}, nil
}

// Close lets go of the directory. Files that are open stay usable.
func (d *Dir) Close() error { return d.d.Close() }

// Open is FS.Open.
func (d *Dir) Open(name string) (File, error) {
	f, err := d.open(name, unix.O_RDWR)
	if errors.Is(err, unix.EROFS) {
		f, err = d.open(name, unix.O_RDONLY)
		return readOnly{f}, err
	}
	return f, err
}

// Create is FS.Create.
func (d *Dir) Create(name string) (File, error) {
	f, err := d.open(name, unix.O_RDWR|unix.O_CREAT)
	if err != nil {
		return nil, err
	}
	// An older file may have another mode. It is emptied only now that it is
	// known to be a regular one.
	if err = f.Chmod(0o600); err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

var errNotRegular = errors.New("not a regular file")

func (d *Dir) open(name string, flags int) (file, error) {
	if err := CheckName(name); err != nil {
		return file{}, err
	}
	// O_NONBLOCK: a FIFO or a device of that name must not hold us up; it is
	// refused below, and on a regular file the flag means nothing.
	fd, err := openat(d.fd(), name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return file{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFREG {
		err = errNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return file{}, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return file{os.NewFile(uintptr(fd), name)}, nil
}

// Rename is FS.Rename.
func (d *Dir) Rename(from, to string) error {
	if err := CheckName(from); err != nil {
		return err
	}
	if err := CheckName(to); err != nil {
		return err
	}
	if err := unix.Renameat(d.fd(), from, d.fd(), to); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// Remove is FS.Remove.
func (d *Dir) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if err := unix.Unlinkat(d.fd(), name, 0); err != nil {
		return &fs.PathError{Op: "remove", Path: name, Err: err}
	}
	return nil
}

// List is FS.List. Only regular files are listed.
func (d *Dir) List() ([]string, error) {
	// A descriptor of its own: the position of the one we hold is shared.
	fd, err := openat(d.fd(), ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, &fs.PathError{Op: "list", Path: d.d.Name(), Err: err}
	}
	dir := os.NewFile(uintptr(fd), d.d.Name())
	defer dir.Close()
	entries, err := dir.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// SyncDir is FS.SyncDir.
func (d *Dir) SyncDir() error {
	if err := again(func() error { return unix.Fsync(d.fd()) }); err != nil {
		return &fs.PathError{Op: "fsync", Path: d.d.Name(), Err: err}
	}
	return nil
}

func (d *Dir) fd() int { return int(d.d.Fd()) }

// A file adds to os.File what File says.
type file struct {
	*os.File
}

func (f file) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

// Sync is fdatasync: the bytes, and of the metadata only what is needed to read
// them. Within the size that a file already has that is no metadata at all.
func (f file) Sync() error {
	if err := again(func() error { return unix.Fdatasync(int(f.Fd())) }); err != nil {
		return &fs.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

func (f file) DropCache() error {
	return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
}

// A readOnly is a file on a read-only file system. Without this it would answer
// EBADF, for its descriptor, to who writes.
type readOnly struct {
	file
}

func (f readOnly) WriteAt([]byte, int64) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: f.Name(), Err: unix.EROFS}
}

func (f readOnly) Truncate(int64) error {
	return &fs.PathError{Op: "truncate", Path: f.Name(), Err: unix.EROFS}
}

func openat(dir int, name string, flags int) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Openat(dir, name, flags|unix.O_CLOEXEC, 0o600)
		return err
	})
	return fd, err
}

// again repeats a system call that a signal interrupted.
func again(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
