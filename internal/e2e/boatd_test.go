//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A setup is what a test's boatd is configured with, beside a socket for hosts.
type setup struct {
	pin      bool   // commands that pay need the PIN
	at       string // more lines of [at]
	networks []network
	tables   string // whole tables: channels, limits
	journal  string // lines of [journal]
	state    string // directory of its own; "" for one beside the configuration
	durable  bool   // and it must be on flash
}

// A network is one [[network]] table.
type network struct {
	name      string // default "net"
	endpoints []string
	chainID   string // default 1337
	depth     int    // confirmations; 0 for finalized
	lines     string // more lines
}

func (s setup) toml(dir string) string {
	state := s.state
	if state == "" {
		state = filepath.Join(dir, "state")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "state_dir = %q\nallow_volatile_state = %v\n[log]\nlevel = \"debug\"\n", state, !s.durable)
	fmt.Fprintf(&b, "[at]\npin_required = %v\n%s\n[journal]\n%s\n[keystore]\ndevice_ids = []\n", s.pin, s.at, s.journal)
	fmt.Fprintf(&b, "[[channel]]\nname = \"local\"\ntype = \"unix\"\npath = %q\n", filepath.Join(dir, "at.sock"))
	for _, n := range s.networks {
		if n.name == "" {
			n.name = "net"
		}
		if n.chainID == "" {
			n.chainID = "1337"
		}
		fmt.Fprintf(&b, "[[network]]\nname = %q\nprotocol = \"ethereum\"\nendpoints = [\"%s\"]\nchain_id = %q\nconfirmations = %d\n%s\n",
			n.name, strings.Join(n.endpoints, `", "`), n.chainID, n.depth, n.lines)
		if strings.HasPrefix(n.endpoints[0], "http://") {
			fmt.Fprintln(&b, "insecure_http = true")
		}
	}
	b.WriteString(s.tables)
	return b.String()
}

// A daemon is a boatd that a test runs, kills and runs again on the same state.
type daemon struct {
	t       testing.TB
	program string
	dir     string
	config  string
	socket  string
	log     string
	*process
}

// newDaemon writes a configuration and starts boatd. The test fails if what
// boatd logs shows a fault of its own.
func newDaemon(t testing.TB, s setup) *daemon {
	t.Helper()
	return newDaemonOf(t, boatdProgram, s)
}

// newDaemonOf is newDaemon with another program.
func newDaemonOf(t testing.TB, program string, s setup) *daemon {
	t.Helper()
	dir := shortDir(t)
	d := &daemon{t: t, program: program, dir: dir, config: filepath.Join(dir, "boatd.toml"), socket: filepath.Join(dir, "at.sock"), log: filepath.Join(dir, "log")}
	d.configure(s)
	t.Cleanup(d.end)
	d.start()
	return d
}

// configure writes the configuration for the next start.
func (d *daemon) configure(s setup) {
	d.t.Helper()
	if err := os.WriteFile(d.config, []byte(s.toml(d.dir)), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// start starts boatd and returns at once: hosts are answered from the first
// moment.
func (d *daemon) start() {
	d.t.Helper()
	var err error
	if d.process, err = launch(d.log, d.program, "run", "--config", d.config); err != nil {
		d.t.Fatalf("starting boatd: %v", err)
	}
}

// restart ends boatd as asked, by SIGKILL or properly, and starts it again.
func (d *daemon) restart(kill bool) {
	d.t.Helper()
	if kill {
		d.kill()
	} else if err := d.stop(); err != nil {
		d.t.Fatalf("boatd ended with %v", err)
	}
	d.start()
}

// faults are what boatd never logs unless it has a bug.
var faults = regexp.MustCompile(`panic: |panicked|command wrote a bad line|breaks a rule|did not return|fatal error|DATA RACE|differ from the intent|applying a record`)

func (d *daemon) end() {
	if d.process != nil {
		d.kill()
	}
	b, err := os.ReadFile(d.log)
	if err != nil {
		d.t.Errorf("reading the log: %v", err)
	}
	if m := faults.Find(b); m != nil {
		d.t.Errorf("the log says %q", m)
	}
	if d.t.Failed() {
		d.t.Logf("the log ends with:\n%s", tail(d.log, 60))
	}
}

// dial connects to boatd's socket as soon as it is there; nil when boatd ended.
func (d *daemon) dial() port {
	d.t.Helper()
	var conn port
	ok := within(patience, func() bool {
		if !d.running() {
			return true
		}
		c, err := net.Dial("unix", d.socket)
		if err == nil {
			conn = c
		}
		return err == nil
	})
	if !ok {
		d.t.Fatalf("boatd's socket does not answer within %v", patience)
	}
	return conn
}

// host connects a host and waits until all of boatd is there.
func (d *daemon) host() *host {
	d.t.Helper()
	conn := d.dial()
	if conn == nil {
		d.t.Fatalf("boatd ended with %v:\n%s", d.err, tail(d.log, 20))
	}
	h := newHost(d.t, conn)
	h.awaitReady()
	return h
}
