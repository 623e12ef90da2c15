// Package mcu runs firmware on an emulated microcontroller (QEMU's mps2-an385, a
// Cortex-M3), wired to a module's UART.
package mcu

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
)

// An MCU is an emulated microcontroller on a cable to a module.
type MCU struct {
	cmd   *exec.Cmd
	cable io.Closer
	ended chan struct{}

	mu   sync.Mutex
	said []string
	news chan struct{} // closed at the next line
}

// A Tap sees what a microcontroller does, a line at a time. All of it may be nil.
type Tap struct {
	Log  func(line string) // of the firmware
	Sent func(line string) // to the module
	Came func(line string) // from it
}

// Start starts the firmware: its first UART goes to the module, its second is
// the log. A socket is made in dir, whose path must be short.
func Start(dir, firmware string, module net.Conn, tap Tap) (*MCU, error) {
	path := filepath.Join(dir, "cable")
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	m := &MCU{cable: module, ended: make(chan struct{}), news: make(chan struct{})}
	m.cmd = exec.Command("qemu-system-arm", "-M", "mps2-an385", "-nographic", "-monitor", "none", "-kernel", firmware,
		"-chardev", "socket,id=uart,path="+path, "-serial", "chardev:uart", "-serial", "stdio")
	m.cmd.Stdout = &liner{line: func(text string) { tap.log(text); m.note(text) }}
	m.cmd.Stderr = os.Stderr // why it cannot start
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the microcontroller: %w", err)
	}
	go func() {
		_ = m.cmd.Wait() // it runs until it is killed
		close(m.ended)
		l.Close() // nobody comes any more
	}()
	near, err := l.Accept()
	if err != nil {
		m.Kill()
		return nil, err
	}
	go carry(module, near, &liner{line: tap.Sent})
	go carry(near, module, &liner{line: tap.Came})
	return m, nil
}

func (t Tap) log(line string) {
	if t.Log != nil {
		t.Log(line)
	}
}

// carry copies one direction, and shows it, until an end goes away.
func carry(to io.WriteCloser, from io.Reader, shown io.Writer) {
	_, _ = io.Copy(io.MultiWriter(to, shown), from)
	to.Close()
}

func (m *MCU) note(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, text)
	close(m.news)
	m.news = make(chan struct{})
}

// Await returns what the first group matches in the first line of the log that
// matches.
func (m *MCU) Await(ctx context.Context, re *regexp.Regexp) (string, error) {
	for {
		m.mu.Lock()
		said, news := m.said, m.news
		m.mu.Unlock()
		for _, line := range said {
			if found := re.FindStringSubmatch(line); found != nil {
				return found[1], nil
			}
		}
		select {
		case <-news:
		case <-m.ended:
			return "", fmt.Errorf("the microcontroller has ended and never said %v", re)
		case <-ctx.Done():
			return "", fmt.Errorf("waiting for the microcontroller to say %v: %w", re, ctx.Err())
		}
	}
}

// Kill takes the microcontroller's power, and the cable out of the module.
func (m *MCU) Kill() {
	_ = m.cmd.Process.Kill() // it has ended already, else
	<-m.ended
	m.cable.Close()
}

// A liner hands on whole lines of what is written to it.
type liner struct {
	part []byte
	line func(string)
}

func (l *liner) Write(p []byte) (int, error) {
	for _, b := range p {
		if b != '\r' && b != '\n' {
			l.part = append(l.part, b)
			continue
		}
		if len(l.part) > 0 && l.line != nil {
			l.line(string(l.part))
		}
		l.part = l.part[:0]
	}
	return len(p), nil
}
