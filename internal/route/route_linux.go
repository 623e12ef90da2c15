// Package route says whether the system has a default route, and when that
// changes, without polling: the kernel tells over netlink (rtnetlink(7)).
package route

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// A Watch knows whether there is a default route.
type Watch struct {
	up   atomic.Bool
	file *os.File
}

// Open begins to watch.
func Open() (*Watch, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE)
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listening for route changes: %w", err)
	}
	w := &Watch{file: os.NewFile(uintptr(fd), "netlink")}
	w.up.Store(present())
	return w, nil
}

// Up says whether there is a default route.
func (w *Watch) Up() bool { return w.up.Load() }

// Run calls changed whenever Up becomes another, until ctx is done.
func (w *Watch) Run(ctx context.Context, changed func(up bool)) {
	defer context.AfterFunc(ctx, func() { w.file.Close() })()
	buf := make([]byte, 16<<10)
	for {
		// What the message says does not matter, nor does a lost one
		// (ENOBUFS): the tables are read anew.
		if _, err := w.file.Read(buf); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
		if up := present(); w.up.Swap(up) != up {
			changed(up)
		}
	}
}

func present() bool {
	return has("/proc/net/route", hasDefault4) || has("/proc/net/ipv6_route", hasDefault6)
}

func has(path string, scan func(io.Reader) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return scan(f)
}

// hasDefault4 reads /proc/net/route: interface, destination, gateway, flags,
// ..., mask in the eighth column; numbers in hex.
func hasDefault4(r io.Reader) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) >= 8 && f[0] != "lo" && f[1] == "00000000" && f[7] == "00000000" {
			return true
		}
	}
	return false
}

// hasDefault6 reads /proc/net/ipv6_route: destination, its prefix length, ...,
// interface in the tenth column. The kernel keeps an entry of its own on lo.
func hasDefault6(r io.Reader) bool {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) >= 10 && f[9] != "lo" && strings.Trim(f[0], "0") == "" && f[1] == "00" {
			return true
		}
	}
	return false
}
