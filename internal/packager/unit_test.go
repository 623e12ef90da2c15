package packager

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestUnit: systemd finds nothing to say about the unit, and rates what it leaves
// open at 1.5 at most.
func TestUnit(t *testing.T) {
	dir := t.TempDir()
	units := filepath.Join(dir, "lib/systemd/system")
	if err := os.MkdirAll(units, 0o755); err != nil {
		t.Fatal(err)
	}
	// What the unit leans on: the system's own.
	must(t, nil, "cp", "-R", "/lib/systemd/system/.", units)
	must(t, nil, "cp", file(t, "packaging/systemd/boatd.service"), units)
	write(t, filepath.Join(dir, "usr/bin/boatd"), "", 0o755)
	if out := must(t, nil, "systemd-analyze", "verify", "--man=no", "--root="+dir, "boatd.service"); out != "" {
		t.Errorf("verify:\n%s", out)
	}
	if out, status := try(t, nil, "systemd-analyze", "security", "--offline=true", "--threshold=15", filepath.Join(units, "boatd.service")); status != 0 {
		t.Errorf("exposed more than 1.5:\n%s", out)
	}
}

// TestUnitPromises: what other pages and scripts rely on, and what must not come
// in.
func TestUnitPromises(t *testing.T) {
	unit := read(t, file(t, "packaging/systemd/boatd.service"))
	for _, line := range []string{
		"Type=notify", "ExecStart=/usr/bin/boatd run", "Restart=always", "StartLimitIntervalSec=0",
		"User=boatd", "Group=boatd", "RuntimeDirectory=boatd", "StateDirectory=boatd", "LimitCORE=0",
	} {
		if !strings.Contains(unit, "\n"+line+"\n") {
			t.Errorf("%s is missing", line)
		}
	}
	// Not in need of a network or a clock; ProcSubset=pid would hide the serial
	// number that seals the keys.
	for _, key := range []string{"After=.*(network|time)", "Requires=", "Wants=", "ProcSubset=", "PrivateDevices=", "RestartPreventExitStatus="} {
		if found := regexp.MustCompile("(?m)^" + key + ".*").FindString(unit); found != "" {
			t.Errorf("%s", found)
		}
	}
	watchdog := regexp.MustCompile(`(?m)^WatchdogSec=(\d+)min$`).FindStringSubmatch(unit)
	if watchdog == nil || watchdog[1] == "0" {
		t.Errorf("the watchdog is not a minute or more: %q", watchdog)
	}
}

// allowedCalls are the system calls that the unit's filter lets through.
func allowedCalls(t *testing.T) map[string]bool {
	t.Helper()
	allowed := map[string]bool{}
	unit := read(t, file(t, "packaging/systemd/boatd.service"))
	filters := regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(unit, -1)
	if len(filters) != 2 || filters[0][1] != "" || filters[1][1] != "~" {
		t.Fatalf("filters %q: this test knows of one list that allows and one that refuses", filters)
	}
	for _, f := range filters {
		for _, set := range strings.Fields(f[2]) {
			for call := range calls(t, set) {
				allowed[call] = f[1] == ""
			}
		}
	}
	// What systemd always allows.
	for call := range calls(t, "@default") {
		allowed[call] = true
	}
	return allowed
}

// calls are those of a set of systemd's.
func calls(t *testing.T, set string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for line := range strings.Lines(must(t, nil, "systemd-analyze", "syscall-filter", set)) {
		switch name := strings.TrimSpace(line); {
		case strings.HasPrefix(name, "#") || name == "" || name == set:
		case strings.HasPrefix(name, "@"):
			for call := range calls(t, name) {
				all[call] = true
			}
		default:
			all[name] = true
		}
	}
	return all
}

// mayFail are calls that are refused and need not work: the Go runtime raises the
// limit of open files where it may.
var mayFail = map[string]bool{"prlimit64": true, "setrlimit": true}

// unnamed are calls of ARM that the emulator has no name for.
var unnamed = strings.NewReplacer("Unknown syscall 398\n", "rseq()\n", "Unknown syscall 422\n", "futex_time64()\n")

// TestSystemCalls: boatd makes no call that the unit refuses, from its start over
// an AT session with a new wallet to its end; on ARM, whose calls are others, as
// the emulator sees them.
func TestSystemCalls(t *testing.T) {
	for name, run := range map[string]string{
		"amd64": `strace -f -qq -o "$trace" "$boatd"`,
		"armv7": `env QEMU_STRACE=1 QEMU_LOG_FILENAME="$trace" qemu-arm-static "${boatd}-armv7"`,
	} {
		t.Run(name, func(t *testing.T) {
			trace := unnamed.Replace(session(t, run))
			allowed, made := allowedCalls(t), 0
			for _, m := range regexp.MustCompile(`(?m)^\d+ +([a-z0-9_]+|Unknown syscall \d+)[(\n]`).FindAllStringSubmatch(trace, -1) {
				made++
				// execve is how systemd itself starts it.
				if call := m[1]; !allowed[call] && !mayFail[call] && call != "execve" {
					t.Errorf("%s is refused", call)
					allowed[call] = true
				}
			}
			if made < 500 {
				t.Errorf("only %d calls were seen", made)
			}
		})
	}
}

// session returns the trace of a boatd that run starts.
func session(t *testing.T, run string) string {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "boatd.toml")
	write(t, config, strings.ReplaceAll(testConfig, "DIR", dir)+"[[channel]]\nname = \"p\"\ntype = \"pty\"\nlink = \""+dir+"/at\"\n"+
		"[[network]]\nname = \"n\"\nprotocol = \"ethereum\"\nendpoints = [\"https://127.0.0.1:9\"]\nchain_id = 1\n", 0o644)
	if err := os.MkdirAll(dir+"/run/boatd", 0o755); err != nil {
		t.Fatal(err)
	}
	env := []string{"trace=" + dir + "/trace", "boatd=" + file(t, "build/boatd"), "config=" + config}
	must(t, env, "sh", "-c", run+` run --config "$config" 2>"$trace.log" &
tracer=$!
for i in $(seq 300); do "$boatd" health --config "$config" 2>/dev/null && break; sleep 0.1; done
"$boatd" at --config "$config" 'AT+BOATPWD="","2580","13572468"' 'AT+BOATWALADD="w0","n"' AT+BOATINFO || exit 1
kill $(sed -n '1s/ .*//p' "$trace")
wait $tracer
`)
	return read(t, dir+"/trace")
}

// TestUdevRules: every line, examples too, is made of what udev(7) has.
func TestUdevRules(t *testing.T) {
	text := read(t, file(t, "packaging/udev/70-boatd.rules"))
	const key = `(ACTION|SUBSYSTEM|SUBSYSTEMS|KERNEL|(ENV|ATTR)\{[A-Za-z_]+\})(==|!=)"[^"]+"`
	const assignment = `(SYMLINK\+=|(GROUP|MODE|GOTO|LABEL|ENV\{ID_MM_(PORT|DEVICE)_IGNORE\})=)"[^"]+"`
	rule := regexp.MustCompile(`^(` + key + `, )*` + assignment + `(, ` + assignment + `)*$`)
	rules := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line == "#" || strings.HasPrefix(line, "# ") {
			continue
		}
		rules++
		if !rule.MatchString(strings.TrimPrefix(line, "#")) {
			t.Errorf("%s", line)
		}
	}
	if rules < 7 {
		t.Errorf("only %d rules were seen", rules)
	}
}
