package rig

import (
	"fmt"
	"net"
	"os"
	"syscall"
)

// OpenTerminal opens a terminal as a host's program does. Its modes stay as they
// are: boatd has made it raw. Reads and writes can have deadlines.
func OpenTerminal(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("opening a terminal: %w", err)
	}
	return f, nil
}

// DialUnix connects to a channel of type unix.
func DialUnix(path string) (net.Conn, error) {
	c, err := net.Dial("unix", path)
	if err != nil {
		return nil, fmt.Errorf("connecting to a channel: %w", err)
	}
	return c, nil
}
