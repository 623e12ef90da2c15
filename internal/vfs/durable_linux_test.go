package vfs

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const ext4 = 0xef53

const mountinfo = `21 1 0:20 / /proc rw,nosuid shared:5 - proc proc rw
23 1 179:2 / / rw,relatime shared:1 - ext4 /dev/mmcblk0p2 rw
30 23 0:40 / /ram rw - overlay overlay rw,lowerdir=/rom,upperdir=/run/up,workdir=/run/work
31 23 0:41 / /flash rw,relatime shared:7 master:2 - overlay over\040lay rw,lowerdir=/rom:/rom2,upperdir=/data/my\040upper\054x,workdir=/data/w
32 23 0:42 / /both rw - overlay overlay rw,lowerdir=/rom,upperdir=/flash/up,workdir=/flash/w
33 23 0:43 / /nosync rw - overlay overlay rw,lowerdir=/rom,upperdir=/data/up,workdir=/data/w,volatile
34 23 0:44 / /nosync2 rw - overlay overlay rw,lowerdir=/rom,upperdir=/data/up,fsync=volatile
35 23 0:45 / /ro ro - overlay overlay ro,lowerdir=/rom:/rom2
36 23 0:46 / /gone rw - overlay overlay rw,upperdir=/not/here
37 23 0:47 / /loop rw - overlay overlay rw,upperdir=/loop
38 23 0:48 / /short rw - overlay
nonsense
39 23

`

// A table of made-up mounts, as the kernel would show them.
func TestCheckDurableTable(t *testing.T) {
	dirs := map[string]struct {
		magic  uint32
		device string
	}{
		"/data": {ext4, "179:2"}, "/data/my upper,x": {ext4, "179:2"}, "/data/up": {ext4, "179:2"},
		"/run": {unix.TMPFS_MAGIC, "0:21"}, "/run/up": {unix.TMPFS_MAGIC, "0:21"},
		"/init": {unix.RAMFS_MAGIC, "0:2"},
		"/ram":  {unix.OVERLAYFS_SUPER_MAGIC, "0:40"}, "/flash": {unix.OVERLAYFS_SUPER_MAGIC, "0:41"},
		"/flash/up": {unix.OVERLAYFS_SUPER_MAGIC, "0:41"}, "/both": {unix.OVERLAYFS_SUPER_MAGIC, "0:42"},
		"/nosync": {unix.OVERLAYFS_SUPER_MAGIC, "0:43"}, "/nosync2": {unix.OVERLAYFS_SUPER_MAGIC, "0:44"},
		"/ro": {unix.OVERLAYFS_SUPER_MAGIC, "0:45"}, "/gone": {unix.OVERLAYFS_SUPER_MAGIC, "0:46"},
		"/loop": {unix.OVERLAYFS_SUPER_MAGIC, "0:47"}, "/short": {unix.OVERLAYFS_SUPER_MAGIC, "0:48"},
		"/unknown": {unix.OVERLAYFS_SUPER_MAGIC, "0:99"},
	}
	m := mounts{
		statfs: func(dir string) (uint32, string, error) {
			d, ok := dirs[dir]
			if !ok {
				return 0, "", fs.ErrNotExist
			}
			return d.magic, d.device, nil
		},
		info: func() ([]byte, error) { return []byte(mountinfo), nil },
	}
	for dir, why := range map[string]string{
		"/data": "", "/flash": "", "/both": "",
		"/run": "in memory", "/init": "in memory", "/ram": "/run/up is in memory",
		"/nosync": "without syncs", "/nosync2": "without syncs", "/ro": "no upper layer",
		"/gone": "/not/here", "/loop": "too many", "/short": "not in mountinfo", "/unknown": "not in mountinfo",
	} {
		err := checkDurable(dir, m)
		if why == "" {
			if err != nil {
				t.Errorf("%s: %v", dir, err)
			}
		} else if !errors.Is(err, ErrVolatile) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", dir, err, why)
		}
	}
	if err := checkDurable("/none", m); errors.Is(err, ErrVolatile) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
	m.info = func() ([]byte, error) { return nil, fs.ErrPermission }
	if err := checkDurable("/flash", m); !errors.Is(err, ErrVolatile) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("without mountinfo: %v", err)
	}
}

func TestCheckDurableHere(t *testing.T) {
	if magic, _, err := statfs("/dev/shm"); err == nil && magic == unix.TMPFS_MAGIC {
		if err := CheckDurable("/dev/shm"); !errors.Is(err, ErrVolatile) {
			t.Errorf("/dev/shm: %v", err)
		}
	}
	dir := t.TempDir()
	if magic, _, err := statfs(dir); err == nil && magic == ext4 {
		if err := CheckDurable(dir); err != nil {
			t.Error(err)
		}
	}
	if err := CheckDurable(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is not there: %v", err)
	}
}

// A real overlay with its upper layer on a tmpfs, in a mount namespace of its
// own. The test binary runs itself again inside it.
func TestCheckDurableOverlay(t *testing.T) {
	if dir := os.Getenv("CHECK_DURABLE_OF"); dir != "" {
		if err := CheckDurable(dir); !errors.Is(err, ErrVolatile) || !strings.Contains(err.Error(), "/up is in memory") {
			t.Fatalf("overlay on tmpfs: %v", err)
		}
		return
	}
	const script = `mount -t tmpfs none "$1" && mkdir "$1/up" "$1/work" "$1/low" "$1/on" &&
mount -t overlay none -o "lowerdir=$1/low,upperdir=$1/up,workdir=$1/work" "$1/on" || exit 77
CHECK_DURABLE_OF="$1/on" exec "$2" -test.run='^TestCheckDurableOverlay$'`
	cmd := exec.Command("unshare", "-m", "sh", "-c", script, "sh", t.TempDir(), os.Args[0])
	out, err := cmd.CombinedOutput()
	if strings.Contains(string(out), "FAIL") {
		t.Fatalf("%s", out)
	}
	if err != nil {
		t.Skipf("no overlay can be mounted here: %v %s", err, out)
	}
	if !strings.Contains(string(out), "PASS") {
		t.Errorf("the test inside did not run: %s", out)
	}
}

func FuzzUpperDir(f *testing.F) {
	f.Add([]byte(mountinfo), "0:41")
	f.Add([]byte("1 2 3 - overlay o upperdir=\\777\\40"), "3")
	f.Fuzz(func(t *testing.T, info []byte, device string) {
		if dir, err := upperDir(info, device); err == nil && dir == "" {
			t.Error("an upper layer without a name")
		}
	})
}
