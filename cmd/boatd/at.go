package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"
)

func atFlags(flags *pflag.FlagSet) {
	socketFlag(flags)
	flags.Bool("pin", false, "ask for the PIN, without echo, and unlock the session")
}

// runAT sends the commands of the command line, or of standard input, one after
// the other, and stops at the first that fails. At a terminal it is a line with
// history.
func runAT(e *env, flags *pflag.FlagSet) error {
	c, err := dial(e, flags)
	if err != nil {
		return err
	}
	defer c.close()
	if ask, _ := flags.GetBool("pin"); ask {
		if err := c.unlock(e); err != nil {
			return err
		}
	}
	file, terminal := e.stdin.(*os.File)
	switch terminal = terminal && term.IsTerminal(int(file.Fd())); {
	case len(e.args) > 0:
		return c.batch(e, strings.NewReader(strings.Join(e.args, "\n")))
	case terminal:
		return c.interact(e, file)
	default:
		return c.batch(e, e.stdin)
	}
}

// batch sends every line of r.
func (c *client) batch(e *env, r io.Reader) error {
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		if line := strings.TrimSpace(in.Text()); line != "" {
			if err := c.show(e.stdout, line); err != nil {
				return err
			}
		}
	}
	return in.Err()
}

// show sends one line and prints what comes back.
func (c *client) show(w io.Writer, line string) error {
	if strings.Contains(strings.ToUpper(strings.ReplaceAll(line, " ", "")), "+BOATDATAWR=") {
		return &exitError{code: exitUsage, err: errors.New("data mode needs a real terminal"), hint: "AT+BOATDATAHX fills a slot in segments"}
	}
	lines, err := c.do(line)
	for _, l := range lines {
		fmt.Fprintln(w, l)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", firstWord(line), err)
	}
	fmt.Fprintln(w, "OK")
	return nil
}

// firstWord is a command without its arguments, which may be secret.
func firstWord(line string) string {
	i := strings.IndexFunc(line, func(r rune) bool { return !strings.ContainsRune(wordRunes, r) })
	if i < 0 {
		return line
	}
	return line[:i]
}

const wordRunes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+&/?"

// unlock asks for the PIN and sends it.
func (c *client) unlock(e *env) error {
	file, ok := e.stdin.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return &exitError{code: exitUsage, err: errors.New("there is no terminal to ask for the PIN at"), hint: `send AT+BOATPIN="..." first`}
	}
	fmt.Fprint(e.stderr, "PIN: ")
	pin, err := term.ReadPassword(int(file.Fd()))
	fmt.Fprintln(e.stderr)
	if err != nil {
		return fmt.Errorf("reading the PIN: %w", err)
	}
	defer clear(pin)
	if _, err := c.do(`AT+BOATPIN="` + string(pin) + `"`); err != nil {
		return fmt.Errorf("unlocking: %w", err)
	}
	return nil
}

// interact is a line with history, until the end of input.
func (c *client) interact(e *env, file *os.File) error {
	old, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return fmt.Errorf("preparing the terminal: %w", err)
	}
	defer term.Restore(int(file.Fd()), old)
	screen := struct {
		io.Reader
		io.Writer
	}{file, e.stdout}
	t := term.NewTerminal(screen, "> ")
	for {
		line, err := t.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a line: %w", err)
		}
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		var result *resultError
		if err := c.show(t, line); errors.As(err, &result) {
			fmt.Fprintln(t, result.result)
		} else if err != nil {
			return err
		}
	}
}
