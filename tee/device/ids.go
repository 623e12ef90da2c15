package device

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/boatd/boatd/tee"
)

// maxID bounds the content of a device id file in bytes.
const maxID = 4096

// An id is a device id file as it is now.
type id struct {
	path    string
	content []byte // none if the file does not exist
}

// ReadID reads a device id file of the system. It must be a regular file (as
// those of /proc and /sys are) of at most 4096 bytes: what is longer is no id,
// and a part of it would be taken for one.
func ReadID(path string) ([]byte, error) {
	// Without O_NONBLOCK a named pipe would hold the daemon for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%q is not a regular file", path)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxID+1))
	if err == nil && len(b) > maxID {
		err = fmt.Errorf("%q is longer than %d bytes", path, maxID)
	}
	return b, err
}

// readIDs reads all device ids. A file that is there and cannot be read is an
// error, never an empty id: a key would be bound to nothing, or a good one
// would look like another board's.
func (s *Sealer) readIDs() ([]id, error) {
	ids := make([]id, 0, len(s.o.IDs))
	for _, path := range s.o.IDs {
		content, err := s.o.ReadID(path)
		if errors.Is(err, fs.ErrNotExist) {
			content, err = nil, nil
		}
		if err == nil && len(content) > maxID {
			err = fmt.Errorf("longer than %d bytes", maxID)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: reading the device id %q: %w", tee.ErrUnavailable, path, err)
		}
		ids = append(ids, id{path, content})
	}
	return ids, nil
}

func anyContent(ids []id) bool {
	return slices.ContainsFunc(ids, func(d id) bool { return len(d.content) > 0 })
}

// check compares the ids with those that the key was made with. A list that the
// configuration has changed is told apart from a board that has.
func (f keyFile) check(ids []id) error {
	var was, is, changed []string
	for _, d := range f.ids {
		was = append(was, d.path)
	}
	for _, d := range ids {
		is = append(is, d.path)
	}
	if !slices.Equal(was, is) {
		return fmt.Errorf("%w: device_ids in the configuration is not the list that the key was made with: %s",
			tee.ErrBinding, listChange(was, is))
	}
	for i, d := range ids {
		if f.fingerprint(d) != f.ids[i].fingerprint {
			changed = append(changed, fmt.Sprintf("%q", d.path))
		}
	}
	if changed != nil {
		return fmt.Errorf("%w: other content than when the key was made in %s", tee.ErrBinding, strings.Join(changed, ", "))
	}
	return nil
}

// listChange says how the list of paths has changed.
func listChange(was, is []string) string {
	var changes []string
	for _, p := range is {
		if !slices.Contains(was, p) {
			changes = append(changes, fmt.Sprintf("%q was added", p))
		}
	}
	for _, p := range was {
		if !slices.Contains(is, p) {
			changes = append(changes, fmt.Sprintf("%q was removed", p))
		}
	}
	if changes == nil {
		return fmt.Sprintf("it was %q", was) // another order, or one path twice
	}
	return strings.Join(changes, ", ")
}
