package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"

	"github.com/boatd/boatd/internal/module"
)

// An mcu is an emulated microcontroller on a cable to a module.
type mcu struct {
	cmd   *exec.Cmd
	cable io.Closer
	ended chan struct{}

	mu   sync.Mutex
	said []string
	news chan struct{} // closed at the next line
}

// startMCU starts the firmware on QEMU's mps2-an385: a Cortex-M3 with its first
// UART to the module and its second for the log.
func startMCU(dir, firmware string, box *module.Box, show *screen) (*mcu, error) {
	l, err := net.Listen("unix", filepath.Join(dir, "cable"))
	if err != nil {
		return nil, err
	}
	m := &mcu{ended: make(chan struct{}), news: make(chan struct{})}
	m.cmd = exec.Command("qemu-system-arm", "-M", "mps2-an385", "-nographic", "-monitor", "none", "-kernel", firmware,
		"-chardev", "socket,id=uart,path="+filepath.Join(dir, "cable"), "-serial", "chardev:uart", "-serial", "stdio")
	m.cmd.Stdout = &liner{line: func(text string) { show.host(text); m.note(text) }}
	m.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := m.cmd.Start(); err != nil {
		l.Close()
		return nil, fmt.Errorf("starting the microcontroller: %w", err)
	}
	go func() {
		_ = m.cmd.Wait() // it runs until it is killed
		close(m.ended)
	}()
	near, err := l.Accept()
	l.Close()
	if err != nil {
		m.kill()
		return nil, err
	}
	far, err := box.UART()
	if err != nil {
		near.Close()
		m.kill()
		return nil, err
	}
	m.cable = near
	go carry(far, near, &liner{line: func(text string) { show.uart(">", text) }})
	go carry(near, far, &liner{line: func(text string) { show.uart("<", text) }})
	return m, nil
}

// carry copies one direction, and shows it, until an end goes away.
func carry(to io.WriteCloser, from io.Reader, shown io.Writer) {
	_, _ = io.Copy(io.MultiWriter(to, shown), from)
	to.Close()
}

func (m *mcu) note(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, text)
	close(m.news)
	m.news = make(chan struct{})
}

// await returns what the first group matches in the first line of the log that
// matches.
func (m *mcu) await(ctx context.Context, re *regexp.Regexp) (string, error) {
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

// kill takes the microcontroller's power.
func (m *mcu) kill() {
	_ = m.cmd.Process.Kill() // it has ended already, else
	<-m.ended
	if m.cable != nil {
		m.cable.Close()
	}
}
