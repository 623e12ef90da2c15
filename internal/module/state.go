package module

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/boatd/boatd/internal/vfs"
	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

// StateOn reads boatd's state on a data disk, in /boatd there, as boatd would
// find it at its next start. dir is for its files and goes again. A file system
// with anything wrong beyond a journal that is to be replayed is an error.
func StateOn(dir string, disk []byte) (*ledger.State, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	image := filepath.Join(dir, "disk")
	if err := os.WriteFile(image, disk, 0o600); err != nil {
		return nil, err
	}
	// What mounting does, then nothing may be wrong any more.
	if out, err := exec.Command("e2fsck", "-E", "journal_only", "-y", image).CombinedOutput(); !corrected(err) {
		return nil, fmt.Errorf("replaying the file system's journal: %w: %s", err, out)
	}
	if out, err := exec.Command("e2fsck", "-f", "-n", image).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("checking the file system: %w: %s", err, out)
	}
	if out, err := exec.Command("debugfs", "-R", "rdump /boatd "+dir, image).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("reading the file system: %w: %s", err, out)
	}
	return readState(filepath.Join(dir, "boatd"))
}

// corrected says whether e2fsck found nothing, or nothing that it did not mend
// (exit status 1, e2fsck(8)).
func corrected(err error) bool {
	var exit *exec.ExitError
	return err == nil || errors.As(err, &exit) && exit.ExitCode() == 1
}

// readState reads a state directory; one that is not there is empty.
func readState(dir string) (*ledger.State, error) {
	s := ledger.NewState(1 << 20)
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	fs, err := vfs.OS(dir)
	if err != nil {
		return nil, err
	}
	defer fs.Close()
	j, err := journal.Open(journal.Options{FS: fs, Major: ledger.Major, Minor: ledger.Minor}, func(payload []byte) error {
		batch, err := ledger.UnmarshalBatch(payload)
		if err != nil {
			return err
		}
		return s.Apply(batch)
	})
	if err != nil {
		return nil, err
	}
	return s, j.Close()
}
