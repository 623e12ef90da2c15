package vfs

import "errors"

// What a directory can turn out to be.
var (
	// ErrVolatile: the directory does not survive a reboot, or cannot be shown to.
	ErrVolatile = errors.New("volatile storage")
	// ErrLocked: another process holds the directory.
	ErrLocked = errors.New("in use by another process")
	// ErrName: the name is empty, "." or "..", or has a slash or a NUL in it.
	ErrName = errors.New("not a file name")
)
