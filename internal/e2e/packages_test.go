//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/boatd/boatd/internal/module"
)

// previousProgram is boatd as it was a release ago, for the module; make builds
// it from that commit.
const previousProgram = "../../build/previous/boatd-armv7"

// previousPackage is the .deb with the previous program in it and a lower
// version: the release before had no package of its own yet.
func previousPackage(t *testing.T, current string) string {
	t.Helper()
	dir := shortDir(t)
	root := filepath.Join(dir, "root")
	command(t, "dpkg-deb", "-R", current, root)
	if _, err := os.Stat(filepath.Join(filepath.Dir(previousProgram), "stand-in")); err == nil {
		t.Log("THE PREVIOUS RELEASE IS NOT IN THE HISTORY HERE: the program of this one stands in for it")
	}
	program, err := os.ReadFile(previousProgram)
	if err != nil {
		t.Fatal(err)
	}
	control, err := os.ReadFile(filepath.Join(root, "DEBIAN/control"))
	if err != nil {
		t.Fatal(err)
	}
	older := regexp.MustCompile(`(?m)^Version: .*$`).ReplaceAll(control, []byte("Version: 0.0.0~previous-1"))
	for path, content := range map[string][]byte{"usr/bin/boatd": program, "DEBIAN/control": older} {
		if err := os.WriteFile(filepath.Join(root, path), content, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(root, "DEBIAN/md5sums")); err != nil {
		t.Fatal(err)
	}
	previous := filepath.Join(dir, "boatd_previous_armhf.deb")
	command(t, "dpkg-deb", "--root-owner-group", "-b", root, previous)
	return previous
}

// command runs a program of this machine.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// A device is a box that a test talks to by its UART and changes by its agent.
type device struct {
	t    *testing.T
	box  *module.Box
	host *host
}

func newDevice(t *testing.T, o module.Options) *device {
	t.Helper()
	b, err := module.Boot(t.Context(), shortDir(t), o)
	if err != nil {
		t.Fatal(err)
	}
	d := &device{t: t, box: b}
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := b.Run(context.Background(), "journalctl -q -o cat -u boatd | tail -n 60; tail -n 60 /run/messages", nil)
			t.Logf("the box said:\n%s\n%s", tailOf(b.Console(), 20), log)
		}
		b.Kill()
	})
	return d
}

func tailOf(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// run runs a command in the box.
func (d *device) run(format string, args ...any) string {
	d.t.Helper()
	out, err := d.box.Run(d.t.Context(), fmt.Sprintf(format, args...), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// fails says how a command in the box fails.
func (d *device) fails(format string, args ...any) int {
	d.t.Helper()
	_, err := d.box.Run(d.t.Context(), fmt.Sprintf(format, args...), nil)
	var exit *module.ExitError
	if !errors.As(err, &exit) {
		d.t.Fatalf(format+": it should fail, and did %v", append(args, err)...)
	}
	return exit.Status
}

// talk connects a host to the UART, instead of the one before, and unlocks it
// where there is a PIN.
func (d *device) talk() *host {
	d.t.Helper()
	if d.host != nil {
		d.host.close()
	}
	c, err := d.box.UART()
	if err != nil {
		d.t.Fatal(err)
	}
	d.host = newHost(d.t, c)
	d.host.awaitReady()
	if state := fields(d.host.ok("AT+BOATPIN?")[0])[1]; state == "PIN" {
		d.host.ok(`AT+BOATPIN="4711"`)
	}
	return d.host
}

// install installs a package.
func (d *device) install(pkg string) {
	d.t.Helper()
	if err := d.box.Install(d.t.Context(), module.Debian, pkg); err != nil {
		d.t.Fatal(err)
	}
}

// TestE2EModulePackage installs the .deb of the previous release on a module, works
// with it, upgrades, goes back, removes and purges it: keys, transactions,
// settings and the configuration are always there, and an order that was given
// before is never carried out again.
func TestE2EModulePackage(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	current := packageFor(t, module.Debian)
	previous := previousPackage(t, current)
	image := filepath.Join(shortDir(t), "root.qcow2")
	if err := module.Overlay(image, filepath.Join(moduleImages, "debian.ext4")); err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, module.Options{Images: moduleImages, Root: image, Writable: true, Node: strings.TrimPrefix(n.url, "http://")})

	d.install(previous)
	d.run("systemctl is-active boatd")
	config := setup{pin: true, durable: true, state: "/var/lib/boatd", tables: uartChannel, networks: []network{{endpoints: []string{"http://10.0.2.100"}, depth: 2}}}.toml("/run/boatd")
	// The seal was made when boatd was started as it is delivered.
	config = strings.Replace(config, "device_ids = []\n", "", 1)
	if err := d.box.Put(t.Context(), "/etc/boatd/boatd.toml", []byte(config)); err != nil {
		t.Fatal(err)
	}
	d.run("systemctl restart boatd")
	h := d.talk()
	h.ok(`AT+BOATPWD="","4711","83920174"`)
	address := h.wallet("w", "net")
	n.fund(t, address, ether(10))
	key := h.ok(`AT+BOATKEYPUB="w"`)

	var orders []string
	var ids []uint64
	order := func(ref string) {
		t.Helper()
		line := fmt.Sprintf(`AT+BOATSEND="w","%s","%s","%d"`, ref, nobody(t, 1), 1000+len(ids))
		orders, ids = append(orders, line), append(ids, h.id("%s", line))
	}
	// check talks to the boatd that is installed now: what was is there.
	check := func(version string) {
		t.Helper()
		h = d.talk()
		if got := d.run("boatd version"); !strings.Contains(got, version) {
			t.Errorf("%s runs, want %s", got, version)
		}
		d.run("boatd health")
		if got := h.ok(`AT+BOATADDR="w"`)[0]; !strings.Contains(got, address) {
			t.Errorf("the wallet is %s, it was %s", got, address)
		}
		if got := h.ok(`AT+BOATKEYPUB="w"`); strings.Join(got, "") != strings.Join(key, "") {
			t.Errorf("the key is %q, it was %q", got, key)
		}
		for i, line := range orders {
			if id := h.id("%s", line); id != ids[i] {
				t.Errorf("%s is %d, it was %d", line, id, ids[i])
			}
			h.wait(ids[i], confirmed)
		}
		if got := d.run("cat /etc/boatd/boatd.toml"); got != strings.TrimSpace(config) {
			t.Errorf("the configuration is now\n%s", got)
		}
	}
	order("first")
	check("previous")

	order("upgrade") // not waited for
	d.install(current)
	check(currentVersion(t))
	order("second")
	check(currentVersion(t))

	order("rollback")
	d.install(previous)
	check("previous")
	order("third")
	check("previous")

	d.run("dpkg -r boatd")
	d.fails("test -e /usr/bin/boatd")
	d.fails("systemctl is-active boatd")
	d.run("test -s /var/lib/boatd/journal && test -s /etc/boatd/boatd.toml")
	d.install(current)
	check(currentVersion(t))

	out := d.run("dpkg -P boatd 2>&1")
	d.fails("test -e /etc/boatd/boatd.toml")
	d.run("test -s /var/lib/boatd/journal && test -s /var/lib/boatd/device.key")
	if !strings.Contains(out, "/var/lib/boatd is kept") {
		t.Errorf("a purge that keeps the keys says so; it said %q", out)
	}
	if got := n.nonce(t, address); got != uint64(len(orders)) {
		t.Errorf("%d transactions in the chain, %d were ordered", got, len(orders))
	}
}

// currentVersion is what the program of this commit calls itself.
func currentVersion(t *testing.T) string {
	t.Helper()
	words := strings.Fields(command(t, boatdProgram, "version"))
	if len(words) < 2 {
		t.Fatalf("boatd version says %q", words)
	}
	return strings.TrimSuffix(words[1], ",")
}

// TestE2EModuleHardship has the module live through what devices live through: no
// clock, no network, a full flash, a boatd that dies and one that hangs.
func TestE2EModuleHardship(t *testing.T) {
	t.Parallel()
	n := ticking(t)
	config := setup{pin: true, durable: true, state: "/data/boatd", tables: uartChannel, networks: []network{{endpoints: []string{"http://10.0.2.100"}, depth: 2}}}.toml("/run/boatd")
	root := installed(t, module.Debian, config)
	data := filepath.Join(shortDir(t), "data")
	if err := module.Blank(data, 16<<20); err != nil {
		t.Fatal(err)
	}
	d := newDevice(t, module.Options{Images: moduleImages, Root: root, Data: data, Node: strings.TrimPrefix(n.url, "http://"),
		Append: []string{"systemd.volatile=state"}, Args: noClock})
	d.run("/bin/busybox ip route del default") // no bearer, by the rule of boatd; the node stays within reach
	h := d.talk()

	// What the unit promises, the kernel keeps.
	status := d.run("cat /proc/$(systemctl show -P MainPID boatd)/status")
	for _, want := range []string{`Uid:\s+876\s`, `NoNewPrivs:\s+1`, `Seccomp:\s+2`, `CapEff:\s+0000000000000000`, `CapBnd:\s+0000000000000000`} {
		if !regexp.MustCompile(want).MatchString(status) {
			t.Errorf("the process has no %s:\n%s", want, status)
		}
	}
	d.fails("touch /etc/x") // the root is read-only
	d.run("test -c /dev/boat-at && udevadm info -q property /dev/boat-at | grep -x ID_MM_PORT_IGNORE=1")
	t.Logf("the box believes that it is %s", d.run("date")) // systemd does not believe in 1970, and takes the day on which it was built

	h.ok(`AT+BOATPWD="","4711","83920174"`)
	address := h.wallet("w", "net")
	n.fund(t, address, ether(1))
	first := h.id(`AT+BOATSEND="w","a","%s","1"`, nobody(t, 1))
	if mask := number(t, fields(h.ok("AT+BOATREADY?")[0])[0]); mask&8 != 0 {
		t.Errorf("there is a bearer: %d", mask)
	}

	h.fails(31, `AT+BOATTXWAI=%d,1,3`, first) // it is not even signed

	// The flash is full.
	d.run("dd if=/dev/zero of=/data/ballast bs=4k 2>/dev/null; true")
	const size = 24 << 10
	for at := 0; at < size; at += 768 {
		h.ok(`AT+BOATDATAHX=0,%d,"%s"`, at, strings.Repeat("b0a7", 768/2))
	}
	for i := 0; ; i++ { // what is preallocated is still there
		r, err := h.do(fmt.Sprintf(`AT+BOATCALL="w","full-%d","%s","@0"`, i, nobody(t, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if r.code == 23 {
			break
		}
		if r.code != 0 || i == 60 {
			t.Fatalf("order %d on a full flash: %d", i, r.code)
		}
	}
	h.ok(`AT+BOATTXLST?`)
	h.ok(`AT+BOATINFO`)
	d.run("systemctl is-active boatd && rm /data/ballast && sync")
	h.ok("AT+BOATRESET=1") // the orders above were to fill the flash

	// It dies, and it hangs.
	restarts := func() string { return d.run("systemctl show -P NRestarts boatd") }
	before := restarts()
	d.run("systemctl kill -s KILL boatd")
	eventually(t, "systemd has started it again", func() bool { return restarts() != before })
	h = d.talk()
	if tx := h.tx(first); tx.state != 7 {
		t.Errorf("the order that the reset took back: %+v", tx)
	}
	second := h.id(`AT+BOATSEND="w","b","%s","2"`, nobody(t, 1))

	d.run("/bin/busybox ip route add default via 10.0.2.2")
	h.wait(second, confirmed)
	if got := n.nonce(t, address); got != 1 {
		t.Errorf("%d transactions in the chain", got)
	}

	d.run("mkdir -p /run/systemd/system/boatd.service.d && printf '[Service]\\nWatchdogSec=60s\\n' > /run/systemd/system/boatd.service.d/watchdog.conf && systemctl daemon-reload && systemctl restart boatd")
	d.talk()
	before = restarts()
	d.run("systemctl kill -s STOP boatd")
	start := time.Now()
	eventually(t, "the watchdog has ended a boatd that hangs", func() bool { return restarts() != before })
	t.Logf("noticed after %v", time.Since(start))
	d.talk()
}
