package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/boatd/boatd/internal/config"
	"github.com/spf13/pflag"
)

// clientTimeout bounds one command: the longest there is, and some.
const clientTimeout = 200 * time.Second

// A client is one AT session with the running daemon, over a channel of type
// unix.
type client struct {
	conn net.Conn
	in   *bufio.Reader
}

func socketFlag(flags *pflag.FlagSet) {
	flags.String("socket", "", "socket of the daemon; default: the first channel of type unix in the configuration")
}

// dial opens a session without echo.
func dial(e *env, flags *pflag.FlagSet) (*client, error) {
	path, err := flags.GetString("socket")
	if err != nil {
		return nil, err
	}
	if path == "" {
		if path, err = configuredSocket(e, flags); err != nil {
			return nil, err
		}
	}
	return dialPath(path)
}

func dialPath(path string) (*client, error) {
	conn, err := net.Dial("unix", path)
	if err != nil {
		return nil, &exitError{code: exitFailed, hint: "is boatd running, and may you use its socket?", err: fmt.Errorf("connecting to the daemon: %w", err)}
	}
	c := &client{conn: conn, in: bufio.NewReader(conn)}
	if _, err := c.do("ATE0"); err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening an AT session on %s: %w", path, err)
	}
	return c, nil
}

func configuredSocket(e *env, flags *pflag.FlagSet) (string, error) {
	cfg, err := loadConfig(e, flags)
	if err != nil {
		return "", err
	}
	return socketOf(cfg)
}

func socketOf(cfg *config.Config) (string, error) {
	i := indexUnix(cfg.Channels)
	if i < 0 {
		return "", &exitError{code: exitConfig, err: errors.New("no channel of type unix is configured"),
			hint: `add [[channel]] with type = "unix" and a path, or name a socket with --socket`}
	}
	return cfg.Channels[i].Path, nil
}

func indexUnix(all []config.Channel) int {
	for i, c := range all {
		if c.Type == "unix" {
			return i
		}
	}
	return -1
}

func (c *client) close() { c.conn.Close() }

// A resultError is a final result other than OK.
type resultError struct{ result string }

func (e *resultError) Error() string { return e.result }

// mute is a line behind which results are numbers, or do not come at all.
var mute = regexp.MustCompile(`(?i)^AT[^+"]*(V0?([^0-9]|$)|Q1)`)

// checkLine refuses what would get no answer, or none that this client knows. A
// line may hold a secret and is not shown.
func checkLine(line string) error {
	wrong := func(what string) error { return &exitError{code: exitUsage, err: errors.New(what)} }
	switch {
	case strings.ContainsAny(line, "\r\n"):
		return wrong("a line has an end within it")
	case line != "A/" && line != "a/" && (len(line) < 2 || !strings.EqualFold(line[:2], "AT")):
		return wrong("a line does not begin with AT")
	case mute.MatchString(line):
		return wrong("a line asks for results that are numbers, or for none")
	}
	return nil
}

// do sends one line and returns its information lines. A final result other
// than OK is a *resultError.
func (c *client) do(line string) ([]string, error) {
	if err := checkLine(line); err != nil {
		return nil, err
	}
	if err := c.conn.SetDeadline(time.Now().Add(clientTimeout)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(c.conn, line+"\r"); err != nil {
		return nil, fmt.Errorf("sending to the daemon: %w", err)
	}
	var lines []string
	for echo := true; ; {
		text, err := c.in.ReadString('\n')
		if err != nil {
			return lines, fmt.Errorf("reading from the daemon: %w", err)
		}
		switch text = strings.Trim(text, "\r\n"); {
		case text == "":
			continue
		case echo && text == line: // but an answer may have the line in it: AT+CLAC
		case text == "OK":
			return lines, nil
		case text == "ERROR" || strings.HasPrefix(text, "+CME ERROR:"):
			return lines, &resultError{text}
		default:
			lines = append(lines, text)
		}
		echo = false
	}
}

// fields takes an information line apart: "+BOATX: 1,"a,b"" is "1" and "a,b".
func fields(line string) []string {
	_, rest, ok := strings.Cut(line, ": ")
	if !ok {
		return nil
	}
	var out []string
	field, quoted := strings.Builder{}, false
	for _, r := range rest {
		switch {
		case r == '"':
			quoted = !quoted
		case r == ',' && !quoted:
			out = append(out, field.String())
			field.Reset()
		default:
			field.WriteRune(r)
		}
	}
	return append(out, field.String())
}
