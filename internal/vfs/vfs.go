// Package vfs is the file system as boatd's durable state sees it: few
// operations, each with its durability said, so that a test can put another
// one in its place and cut the power between any two of them (see crashfs).
package vfs

import (
	"fmt"
	"io"
	"strings"
)

// An FS is one directory and the files in it. Names have no slash. No
// operation is durable by itself: a file's bytes are after File.Sync, its name
// after SyncDir, and until then any part of what was done may be lost, in any
// order, in pieces of a sector.
type FS interface {
	// Open opens a file for reading and writing; fs.ErrNotExist without one. On
	// a read-only file system it can be read, and writing fails with EROFS.
	Open(name string) (File, error)
	// Create makes an empty file, mode 0600, or empties the one that is there.
	Create(name string) (File, error)
	// Rename puts a file in the place of another, whole or not at all. After
	// an error it was not done.
	Rename(from, to string) error
	// Remove deletes a file; fs.ErrNotExist without one.
	Remove(name string) error
	// List returns the names of the files, sorted.
	List() ([]string, error)
	// SyncDir makes names durable: all creations, renames and removals so far.
	// After an error they are as they were, durable or not; a later success
	// covers them.
	SyncDir() error
}

// A File is an open file. Its offset-less methods are what pread and pwrite are.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)
	Truncate(size int64) error
	// Sync makes the bytes and the size durable. After an error nothing is
	// known about what was written since the last success, and a later success
	// says nothing about it either (Linux drops pages that it could not
	// write): what matters must be written again.
	Sync() error
}

// A Dropper is a File whose cached bytes can be forgotten, so that what is read
// next comes from the medium. It is a wish: bytes not yet synced stay.
type Dropper interface {
	DropCache() error
}

// CheckName returns ErrName unless name can be the name of a file in an FS.
func CheckName(name string) error {
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q: %w", name, ErrName)
	}
	return nil
}
