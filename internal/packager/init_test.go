package packager

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An initScript is /etc/init.d/boatd run by one shell, on directories of a test.
type initScript struct {
	t     *testing.T
	shell []string
	dir   string
	env   []string
}

// account is one that every Debian has, and that is not root.
const account = "daemon"

const testConfig = `state_dir = "DIR/data/state"
allow_volatile_state = true
[[channel]]
name = "local"
type = "unix"
path = "DIR/run/boatd/at.sock"
`

// newInit prepares directories that the account may pass, and a PATH with the
// shell's own tools.
func newInit(t *testing.T, shell []string, path, settings string) *initScript {
	t.Helper()
	needRoot(t)
	dir, err := os.MkdirTemp("", "boatd-init")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := &initScript{t: t, shell: shell, dir: dir, env: []string{"DEFAULTS=" + dir + "/defaults"}}
	s.configure(testConfig)
	write(t, dir+"/defaults", fmt.Sprintf("PATH=%s\ndaemon=%s\nconfig=%s/boatd.toml\naccount=%s\nrun=%s/run\nruntime=%s/run/boatd\n%s\n",
		path, file(t, "build/boatd"), dir, account, dir, dir, settings), 0o644)
	t.Cleanup(func() { s.run("stop") })
	return s
}

func (s *initScript) configure(text string) {
	s.t.Helper()
	write(s.t, s.dir+"/boatd.toml", strings.ReplaceAll(text, "DIR", s.dir), 0o644)
}

// run returns the script's exit status.
func (s *initScript) run(verb string) int {
	s.t.Helper()
	out, status := try(s.t, s.env, append(s.shell, file(s.t, "packaging/init/boatd"), verb)...)
	s.t.Logf("%s: status %d\n%s", verb, status, out)
	return status
}

func (s *initScript) want(verb string, status int) {
	s.t.Helper()
	if got := s.run(verb); got != status {
		s.t.Fatalf("%s: status %d, want %d", verb, got, status)
	}
}

// pid reads a file of a process id; 0: there is none.
func (s *initScript) pid(name string) int {
	text, err := os.ReadFile(filepath.Join(s.dir, "run", name))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	return pid
}

// until waits for something outside of this process, which tells nobody.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited too long: %s", what)
		case <-tick.C:
		}
	}
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

// answers says whether boatd answers with all its parts.
func (s *initScript) answers() bool {
	_, status := try(s.t, nil, file(s.t, "build/boatd"), "health", "--config", s.dir+"/boatd.toml")
	return status == 0
}

// replaced waits for another boatd than the one that was, and that it answers.
func (s *initScript) replaced(old int) int {
	s.t.Helper()
	until(s.t, "another boatd", func() bool {
		pid := s.pid("boatd.pid")
		return pid != 0 && pid != old && s.answers()
	})
	return s.pid("boatd.pid")
}

// shells are those that the script is for, each with its tools.
func shells(t *testing.T, try func(t *testing.T, shell []string, path string)) {
	t.Parallel()
	const debian = "/usr/sbin:/usr/bin:/sbin:/bin"
	t.Run("dash", func(t *testing.T) { t.Parallel(); try(t, []string{"dash"}, debian) })
	t.Run("busybox", func(t *testing.T) {
		t.Parallel()
		bin := t.TempDir()
		must(t, nil, "busybox", "--install", "-s", bin)
		try(t, []string{"busybox", "ash"}, bin)
	})
}

// TestInit: start, kill, stop, with the exit statuses of the Linux Standard Base.
func TestInit(t *testing.T) {
	shells(t, func(t *testing.T, shell []string, path string) {
		s := newInit(t, shell, path, "stop_wait=10")
		s.want("status", 3)
		s.want("start", 0)
		first := s.replaced(0)
		s.want("status", 0)
		s.checkProcess(first)
		s.want("start", 0)
		if now := s.pid("boatd.pid"); now != first {
			t.Errorf("start on top of a running boatd replaced %d by %d", first, now)
		}
		syscall.Kill(first, syscall.SIGKILL)
		second := s.replaced(first)
		s.want("restart", 0)
		third := s.replaced(second)
		if !gone(second) {
			t.Errorf("%d runs beside %d", second, third)
		}
		supervisor := s.pid("boatd-supervisor.pid")
		s.want("stop", 0)
		if !gone(third) || !gone(supervisor) {
			t.Errorf("after stop: boatd gone %v, supervisor gone %v", gone(third), gone(supervisor))
		}
		s.want("status", 3)
		s.want("stop", 0)
		s.want("try-restart", 0)
		s.want("status", 3)
		s.want("dance", 2)
	})
}

// checkProcess: not root, no core dumps, and nobody else reads its files.
func (s *initScript) checkProcess(pid int) {
	s.t.Helper()
	u, err := user.Lookup(account)
	if err != nil {
		s.t.Fatal(err)
	}
	status := read(s.t, fmt.Sprintf("/proc/%d/status", pid))
	if !strings.Contains(status, fmt.Sprintf("\nUid:\t%s\t%s\t%s\t%s\n", u.Uid, u.Uid, u.Uid, u.Uid)) {
		s.t.Errorf("not the account's:\n%s", status)
	}
	if limits := read(s.t, fmt.Sprintf("/proc/%d/limits", pid)); !strings.Contains(limits, "Max core file size        0                    0 ") {
		s.t.Errorf("core dumps are allowed:\n%s", limits)
	}
	for name, want := range map[string]os.FileMode{"data/state": os.ModeDir | 0o700, "data/state/journal": 0o600, "run/boatd": os.ModeDir | 0o750, "run/boatd.log": os.ModeNamedPipe | 0o600} {
		if info, err := os.Stat(filepath.Join(s.dir, name)); err != nil || info.Mode() != want {
			s.t.Errorf("%s: %v, want %v (%v)", name, info.Mode(), want, err)
		}
	}
}

// TestInitWithoutSupervisor: a supervisor that was killed leaves boatd behind;
// start and stop both deal with it.
func TestInitWithoutSupervisor(t *testing.T) {
	shells(t, func(t *testing.T, shell []string, path string) {
		s := newInit(t, shell, path, "stop_wait=10")
		s.want("start", 0)
		orphan := s.replaced(0)
		syscall.Kill(s.pid("boatd-supervisor.pid"), syscall.SIGKILL)
		s.want("status", 0)
		s.want("start", 0)
		next := s.replaced(orphan)
		if !gone(orphan) {
			t.Errorf("%d runs beside %d", orphan, next)
		}
		syscall.Kill(s.pid("boatd-supervisor.pid"), syscall.SIGKILL)
		s.want("stop", 0)
		if !gone(next) {
			t.Errorf("%d runs on", next)
		}
		s.want("status", 3)
	})
}

// TestInitHang: a boatd that does not answer is killed and replaced; one that is
// stopped and cannot settle is killed in time.
func TestInitHang(t *testing.T) {
	shells(t, func(t *testing.T, shell []string, path string) {
		s := newInit(t, shell, path, "health_period=1 health_timeout=1 stop_wait=2")
		s.want("start", 0)
		first := s.replaced(0)
		syscall.Kill(first, syscall.SIGSTOP)
		second := 0
		until(t, "another boatd", func() bool {
			second = s.pid("boatd.pid")
			return second != 0 && second != first
		})
		if !gone(first) {
			t.Errorf("%d runs beside %d", first, second)
		}
		syscall.Kill(second, syscall.SIGSTOP)
		s.want("stop", 0)
		if !gone(second) {
			t.Errorf("%d was not killed", second)
		}
	})
}

// TestInitMends: with a configuration that has problems start is no failure, and
// boatd comes by itself when it is mended; files of another number become the
// account's.
func TestInitMends(t *testing.T) {
	shells(t, func(t *testing.T, shell []string, path string) {
		s := newInit(t, shell, path, "delay_max=2")
		s.configure("nonsense = 1\n")
		s.want("start", 0)
		s.want("status", 1)
		s.configure(testConfig)
		first := s.replaced(0)
		s.want("stop", 0)
		state := filepath.Join(s.dir, "data/state")
		for _, name := range []string{"", "journal", "device.key"} {
			if err := os.Chown(filepath.Join(state, name), 54321, 54321); err != nil {
				t.Fatal(err)
			}
		}
		s.want("start", 0)
		s.replaced(first)
	})
}

// TestInitWithoutAccount: boatd is never run as root instead.
func TestInitWithoutAccount(t *testing.T) {
	s := newInit(t, []string{"dash"}, "/usr/sbin:/usr/bin:/sbin:/bin", "account=nobody-of-that-name")
	s.want("start", 5)
	s.want("status", 3)
}
