package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/config"
	"github.com/boatd/boatd/internal/vfs"
)

// cli runs one command line in this process.
func cli(stdin string, environ []string, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(args, &env{stdin: strings.NewReader(stdin), stdout: &out, stderr: &err, environ: environ})
	return status, out.String(), err.String()
}

// write makes a file in a directory of the test's own and returns its path.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodConfig = `state_dir = "/data/boatd"
[[channel]]
name = "local"
type = "unix"
path = "/run/none/at.sock"
[[network]]
name = "main"
protocol = "ethereum"
endpoints = ["https://user:word@rpc.example.org/v3/0123456789abcdef?key=5ecret"]
chain_id = 1
`

func TestUsage(t *testing.T) {
	config := write(t, "boatd.toml", goodConfig)
	for _, c := range []struct {
		args   []string
		status int
		out    string // on standard output when it is done, else on standard error
	}{
		{nil, exitUsage, "no command given"},
		{[]string{"help"}, exitDone, "check-config"},
		{[]string{"--help"}, exitDone, "check-config"},
		{[]string{"-h"}, exitDone, "check-config"},
		{[]string{"fly"}, exitUsage, `"fly" is not a command`},
		{[]string{"version"}, exitDone, "boatd unknown"},
		{[]string{"version", "now"}, exitUsage, `takes no arguments, got "now"`},
		{[]string{"version", "--colour"}, exitUsage, "--colour"},
		{[]string{"version", "--help"}, exitDone, "--json"},
		{[]string{"run", "--help"}, exitDone, "--log.level"},
		{[]string{"run", "now"}, exitUsage, `takes no arguments, got "now"`},
		{[]string{"completion"}, exitUsage, "name of a shell"},
		{[]string{"completion", "csh"}, exitUsage, "name of a shell"},
		{[]string{"man"}, exitUsage, "name of a page"},
		{[]string{"man", "ls"}, exitUsage, "name of a page"},
		{[]string{"man", "boat-at"}, exitDone, ".It Cm AT+BOATSEND\n"},
		{[]string{"support", "--output", config}, exitFailed, "file exists"},
		{[]string{"check-config", "--config", config}, exitDone, "good"},
		{[]string{"check-config", "--config", "/none"}, exitConfig, "/none: cannot be read"},
		{[]string{"check-config", "--config", config, "--log.level", "loud"}, exitConfig, "--log.level: log.level"},
		{[]string{"run", "--config", config, "--log.level", "loud"}, exitConfig, "nothing was started"},
		{[]string{"at", "--config", config, "AT"}, exitFailed, "is boatd running"},
		{[]string{"status", "--socket", "/none"}, exitFailed, "is boatd running"},
		{[]string{"health", "--config", config}, exitUnhealthy, "/run/none/at.sock"},
		{[]string{"health", "--config", "/none"}, exitConfig, "/none: cannot be read"},
	} {
		status, stdout, stderr := cli("", nil, c.args...)
		text := stderr
		if c.status == exitDone {
			text = stdout
		}
		if status != c.status || !strings.Contains(text, c.out) {
			t.Errorf("boatd %q: status %d, want %d\n%s%s", c.args, status, c.status, stdout, stderr)
		}
		if c.status != exitDone && !strings.Contains(stderr, "error: ") {
			t.Errorf("boatd %q: no error is shown:\n%s", c.args, stderr)
		}
	}
}

// TestMessages: every message is lower case, its hint below it.
func TestMessages(t *testing.T) {
	_, _, stderr := cli("", nil, "fly")
	if stderr != "error: \"fly\" is not a command\nhint: boatd help shows the commands\n" {
		t.Errorf("%q", stderr)
	}
}

// TestCheckConfigShowsAll: all mistakes are told at once, each with its line.
func TestCheckConfigShowsAll(t *testing.T) {
	path := write(t, "boatd.toml", `state_dir = 7
[log]
levle = "info"
format = "xml"

[[channel]]
name = "BUSY"
type = "serial"
baud = 12345

[[network]]
name = "n"
protocol = "ethereum"
endpoints = ["http://rpc.example.org"]
max_tip = "much"
`)
	status, stdout, stderr := cli("", []string{"BOATD_JOURNAL_QUEUE_MAX=0"}, "check-config", "--config", path)
	if status != exitConfig || stdout != "" {
		t.Errorf("status %d, %q", status, stdout)
	}
	for _, want := range []string{
		path + ":1: state_dir: ", path + ":3: log.levle: there is no such key; did you mean", path + ":4: log.format: ",
		path + ":7: channel.name: ", path + ":9: channel.baud: ", ":15: network.max_tip: ", "BOATD_JOURNAL_QUEUE_MAX: journal.queue_max: ",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in\n%s", want, stderr)
		}
	}
	if strings.Count(stderr, "error: ") != 1 || !strings.HasSuffix(stderr, "judges the configuration again\n") {
		t.Errorf("the end of\n%s", stderr)
	}
}

// TestEffective: every value with its origin, and no credential of a URL.
func TestEffective(t *testing.T) {
	path := write(t, "boatd.toml", goodConfig)
	status, stdout, stderr := cli("", []string{"BOATD_LOG_FORMAT=json"}, "check-config", "--effective", "--config", path, "--at.require_ref=true")
	if status != exitDone || stderr != "" {
		t.Fatalf("status %d\n%s", status, stderr)
	}
	for _, want := range []string{`state_dir = "/data/boatd" # ` + path, `format = "json" # BOATD_LOG_FORMAT`, `require_ref = true # --at.require_ref`, `level = "info" # default`, "https://rpc.example.org"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is missing in\n%s", want, stdout)
		}
	}
	for _, secret := range []string{"user", "word@", "0123456789abcdef", "5ecret"} {
		if strings.Contains(stdout, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

// TestExampleConfigs: the files that ship are good.
func TestExampleConfigs(t *testing.T) {
	paths, err := filepath.Glob("../../configs/*.toml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		if status, _, stderr := cli("", nil, "check-config", "--config", path); status != exitDone {
			t.Errorf("%s:\n%s", path, stderr)
		}
	}
}

// networkComment is what is said of each well-known network beside its keys.
var networkComment = regexp.MustCompile(`^\[\[network\]\] # (?:test network; )?coin [^;]+; explorer [a-z.]+; final [^;]+; fees EIP-1559[^;]*$`)

// TestWellKnownNetworks: each has a chain id of its own and no endpoint that
// exists, and the file says of it what somebody who copies it wants to know. Without
// a configuration there is no network at all.
func TestWellKnownNetworks(t *testing.T) {
	const path = "../../configs/networks.toml"
	cfg, problems := config.Load(path, nil, nil, protocols())
	if problems.Failed() || len(cfg.Networks) < 10 {
		t.Fatalf("%d networks:\n%s", len(cfg.Networks), problems)
	}
	ids := map[string]string{}
	for _, n := range cfg.Networks {
		id := n.Options.Text("chain_id")
		if other := ids[id]; id == "" || other != "" {
			t.Errorf("%s: chain id %q, as %q", n.Name, id, other)
		}
		ids[id] = n.Name
		for _, e := range n.Options.List("endpoints") {
			if u, err := url.Parse(e); err != nil || u.Scheme != "https" || !strings.HasSuffix(u.Host, ".example.org") && !strings.HasSuffix(u.Host, ".example.net") {
				t.Errorf("%s: %s is no placeholder", n.Name, e)
			}
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	told := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "[[network]]") {
			continue
		}
		told++
		if !networkComment.MatchString(strings.TrimSpace(line)) {
			t.Errorf("%q does not tell coin, explorer, finality and fees", line)
		}
	}
	if told != len(cfg.Networks) {
		t.Errorf("%d of %d networks are explained", told, len(cfg.Networks))
	}
	if cfg, problems = config.Load(write(t, "boatd.toml", ""), nil, nil, protocols()); problems.Failed() || len(cfg.Networks) > 0 {
		t.Errorf("without a configuration: %v\n%s", cfg.Networks, problems)
	}
}

// TestEveryEndpointIsNamed: of a list, every element that is wrong is reported.
func TestEveryEndpointIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "boatd.toml")
	text := "[[network]]\nname = \"a\"\nprotocol = \"ethereum\"\nendpoints = [\"ftp://x.example\", \"http://y.example\"]\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := cli("", nil, "check-config", "--config", file)
	if status != exitConfig || !strings.Contains(stderr, "x.example") || !strings.Contains(stderr, "y.example") {
		t.Errorf("status %d:\n%s", status, stderr)
	}
}

func TestDescriptions(t *testing.T) {
	status, stdout, _ := cli("", nil, "list-commands", "--json")
	var all []described
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || status != exitDone {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(d described) bool { return d.Name == "AT+BOATPIN" })
	if i < 0 || all[i].PIN || all[i].Class != "B" || !slices.Equal(all[i].Syntax, []string{"AT+BOATPIN?", `AT+BOATPIN="<pin or puk>"[,"<new pin>"]`}) {
		t.Errorf("%+v", all)
	}
	_, plain, _ := cli("", nil, "list-commands")
	if strings.Count(plain, "\n") != len(all) || !strings.Contains(plain, "B P  AT+BOATSEND=") {
		t.Errorf("%d commands:\n%s", len(all), plain)
	}
	_, stdout, _ = cli("", nil, "version", "--json")
	var v map[string]string
	if err := json.Unmarshal([]byte(stdout), &v); err != nil || v["version"] != version || v["keys"] == "" || v["target"] == "" {
		t.Errorf("%s: %v", stdout, err)
	}
}

// TestVolatileState: keys are not kept where a reboot takes them away.
func TestVolatileState(t *testing.T) {
	dir, err := os.MkdirTemp("/dev/shm", "boatd")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if vfs.CheckDurable(dir) == nil {
		t.Fatalf("%s is not in memory", dir)
	}
	path := write(t, "boatd.toml", fmt.Sprintf("state_dir = \"%s/state\"\n[[channel]]\nname = \"local\"\ntype = \"unix\"\npath = \"%s/at\"\n", dir, dir))
	status, _, stderr := cli("", nil, "run", "--config", path)
	if status != exitConfig || !strings.Contains(stderr, "state_dir") || !strings.Contains(stderr, "hint: put state_dir on flash") {
		t.Errorf("status %d:\n%s", status, stderr)
	}
	left, err := os.ReadDir(filepath.Join(dir, "state"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
}
