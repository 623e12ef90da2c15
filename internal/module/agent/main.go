// Command agent runs in the box and does there what a test asks for: it runs a
// shell command, or connects to a Unix socket. It is no part of boatd.
//
// A connection is one request: a line of JSON ([wire.Request]), then what the
// command is to read. The answer is a line of JSON ([wire.Reply]), then what it
// wrote; for a socket, the socket's bytes in both directions.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"

	"github.com/boatd/boatd/internal/module/wire"
)

func main() {
	l, err := net.Listen("tcp4", wire.Address)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	for {
		c, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		go serve(c)
	}
}

func serve(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return
	}
	var q wire.Request
	if err := json.Unmarshal(line, &q); err != nil {
		reply(c, wire.Reply{Error: err.Error()}, nil)
		return
	}
	if q.Dial != "" {
		join(c, in, q.Dial)
		return
	}
	out, a := run(q.Run, io.LimitReader(in, q.Size))
	reply(c, a, out)
}

// run runs a shell command to its end.
func run(command string, stdin io.Reader) ([]byte, wire.Reply) {
	cmd := exec.Command("/bin/sh", "-c", command)
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &out, &out
	cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	var exit *exec.ExitError
	switch err := cmd.Run(); {
	case errors.As(err, &exit):
		return out.Bytes(), wire.Reply{Exit: exit.ExitCode(), Size: int64(out.Len())}
	case err != nil:
		return nil, wire.Reply{Error: err.Error()}
	}
	return out.Bytes(), wire.Reply{Size: int64(out.Len())}
}

func reply(c net.Conn, a wire.Reply, out []byte) {
	line, err := json.Marshal(a)
	if err != nil {
		return
	}
	_, _ = c.Write(append(append(line, '\n'), out...)) // a test that went away needs no answer
}

// join carries bytes between the connection and a Unix socket.
func join(c net.Conn, in io.Reader, path string) {
	s, err := net.Dial("unix", path)
	if err != nil {
		reply(c, wire.Reply{Error: err.Error()}, nil)
		return
	}
	defer s.Close()
	reply(c, wire.Reply{}, nil)
	go func() {
		_, _ = io.Copy(s, in)
		s.Close()
	}()
	_, _ = io.Copy(c, s)
}
