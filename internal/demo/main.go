// Command demo shows boatd at work in less than a minute: it starts a
// development chain and boatd on a terminal and plays the host. A wallet is made
// and funded, coin is sent, the same order is given again, boatd is killed in
// the middle of another one and started again. In the end the chain is asked,
// not boatd: PASS or FAIL is what it says.
//
// DEMO_KEEP=1 leaves everything running until Ctrl-C, for minicom.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/boatd/boatd/internal/transcript/rig"
)

func main() {
	d := &demo{out: os.Stdout, keep: os.Getenv("DEMO_KEEP") != ""}
	flag.StringVar(&d.boatd, "boatd", "build/boatd", "boatd's `program`")
	flag.StringVar(&d.chain, "devchain", "build/devchain", "the development chain's `program`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(d.run(ctx))
}

// A demo is one run.
type demo struct {
	out          io.Writer
	boatd, chain string // programs
	keep         bool

	dir   string
	start time.Time
	node  *rig.DevChain
	d     rig.Boatd
	log   *os.File
	host  *host // nil: the terminal is closed
}

// limit is how long all of it may take, without DEMO_KEEP's waiting.
const limit = 60 * time.Second

// run plays, asks the chain and returns the exit status: 0 when what the chain
// says is what the host was told.
func (d *demo) run(ctx context.Context) int {
	d.start = time.Now()
	defer d.close()
	told, facts, err := d.playAndAsk(ctx)
	problems := judge(told, facts)
	if err != nil {
		problems = []string{err.Error()}
	}
	if len(problems) > 0 {
		for _, p := range problems {
			d.note("%s", p)
		}
		d.showLog()
		fmt.Fprintln(d.out, "FAIL")
		return 1
	}
	d.note("two orders, each given at least twice; two transactions in the chain")
	d.closeTerminal()
	fmt.Fprintf(d.out, "\nminicom -D %s\n", d.path("at"))
	if d.keep {
		fmt.Fprintf(d.out, "attaches a terminal. The PIN is %s. Ctrl-C ends everything.\n", pin)
	} else {
		fmt.Fprintln(d.out, "attaches a terminal while it runs; DEMO_KEEP=1 make demo stays up for it.")
	}
	fmt.Fprintln(d.out, "\nPASS")
	if d.keep {
		d.wait(ctx)
	}
	return 0
}

func (d *demo) playAndAsk(ctx context.Context) (told []order, facts evidence, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := d.build(ctx); err != nil {
		return nil, facts, err
	}
	from, told, err := d.play(ctx)
	if err != nil {
		return told, facts, err
	}
	d.note("asking the chain itself")
	facts, err = ask(ctx, d.node, from, recipient)
	return told, facts, err
}

// build starts the chain and boatd in a directory that goes afterwards.
func (d *demo) build(ctx context.Context) (err error) {
	if d.dir, err = os.MkdirTemp("", "boatd-demo"); err != nil {
		return err
	}
	if d.log, err = os.Create(filepath.Join(d.dir, "log")); err != nil {
		return err
	}
	if d.node, err = rig.StartDevChain(d.chain, time.Second, d.log); err != nil {
		return fmt.Errorf("%w; make build/devchain builds it", err)
	}
	d.note("a chain with a block every second at %s", d.node.URL)
	if err := os.WriteFile(d.path("boatd.toml"), []byte(fmt.Sprintf(config, d.dir, d.node.URL)), 0o600); err != nil {
		return err
	}
	d.d = rig.Boatd{Command: []string{d.boatd}, Dir: d.dir, Stderr: d.log}
	return d.startBoatd(ctx)
}

// config is a bench: its state goes with the directory.
const config = `state_dir = "%[1]s/state"
allow_volatile_state = true

[[channel]]
name = "terminal"
type = "pty"
link = "%[1]s/at"

[[network]]
name = "dev"
protocol = "ethereum"
endpoints = ["%[2]s"]
chain_id = 1337
insecure_http = true
confirmations = 2
`

func (d *demo) path(name string) string { return filepath.Join(d.dir, name) }

// startBoatd starts boatd and opens its terminal.
func (d *demo) startBoatd(ctx context.Context) error {
	if err := d.d.Start(ctx, d.path("boatd.toml")); err != nil {
		return err
	}
	f, err := rig.OpenTerminal(d.path("at"))
	if err != nil {
		return err
	}
	d.note("boatd answers at %s", d.path("at"))
	d.host = newHost(ctx, f, d.show)
	return nil
}

// killBoatd kills boatd as a power cut would and starts it again.
func (d *demo) killBoatd(ctx context.Context) error {
	d.closeTerminal()
	if err := d.d.Kill(); err != nil {
		return err
	}
	d.note("boatd is killed with SIGKILL and started again")
	return d.startBoatd(ctx)
}

func (d *demo) closeTerminal() {
	if d.host != nil {
		d.host.close()
		d.host = nil
	}
}

// wait leaves all running until the user has seen enough.
func (d *demo) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-d.d.Ended():
	}
}

// close ends whatever was started and removes the directory.
func (d *demo) close() {
	d.closeTerminal()
	errs := []error{d.d.Close()}
	if d.node != nil {
		errs = append(errs, d.node.Close())
	}
	if d.log != nil {
		d.log.Close()
	}
	if d.dir != "" {
		errs = append(errs, os.RemoveAll(d.dir))
	}
	if err := errors.Join(errs...); err != nil {
		fmt.Fprintf(d.out, "cleaning up: %v\n", err)
	}
}

// show prints a line of the terminal with its time.
func (d *demo) show(direction, line string) {
	fmt.Fprintf(d.out, "%5.1f s  %s %s\n", time.Since(d.start).Seconds(), direction, line)
}

// note prints what happens beside the terminal.
func (d *demo) note(format string, args ...any) { d.show("--", fmt.Sprintf(format, args...)) }

// showLog prints the end of what chain and boatd have logged.
func (d *demo) showLog() {
	if d.log == nil {
		return
	}
	b, err := os.ReadFile(d.log.Name())
	if err == nil {
		const most = 4000
		fmt.Fprintf(d.out, "\nthe log ends with:\n%s\n", b[max(0, len(b)-most):])
	}
}
