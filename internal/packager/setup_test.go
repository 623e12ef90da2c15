package packager

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// accounts are the files that every root of these tests begins with.
var accounts = map[string]string{
	"etc/passwd": "root:x:0:0:root:/root:/bin/ash\n",
	"etc/group":  "root:x:0:\ndialout:x:20:\n",
	"etc/shadow": "root:*:0:0:99999:7:::\n",
}

// TestSetup: what is added to the roots of different makers, twice with the same
// result, and what --unlink leaves.
func TestSetup(t *testing.T) {
	needRoot(t)
	const passwd, group, dialout, shadow = "boatd:x:876:876:boatd:/var/lib/boatd:/bin/false\n", "boatd:x:876:\n", "dialout:x:20:boatd\n", "boatd:*:0:0:99999:7:::\n"
	for _, c := range []struct {
		name  string
		files map[string]string // beside accounts; "/" at the end is a directory
		want  map[string]string // what files end with
		links map[string]string
	}{
		{"OpenWrt", map[string]string{"etc/rc.d/": "", "var/": ""},
			map[string]string{"etc/passwd": passwd, "etc/group": group, "etc/shadow": shadow},
			map[string]string{"etc/rc.d/S95boatd": "../init.d/boatd", "etc/rc.d/K10boatd": "../init.d/boatd", "run": "var/run"}},
		{"System V", map[string]string{"run/": "", "etc/rc5.d/": "", "etc/rc0.d/": "", "etc/rc3.d/": ""},
			map[string]string{"etc/passwd": passwd},
			map[string]string{"etc/rc5.d/S95boatd": "../init.d/boatd", "etc/rc0.d/K10boatd": "../init.d/boatd", "etc/rc3.d/S95boatd": "../init.d/boatd"}},
		{"Buildroot", map[string]string{"run/": ""},
			map[string]string{"etc/passwd": passwd},
			map[string]string{"etc/init.d/S95boatd": "boatd"}},
		{"number taken", map[string]string{"run/": "", "etc/passwd": "x:x:876:1::/:/bin/false\n", "etc/group": "dialout:x:20:gps\nx:x:877:\n"},
			map[string]string{"etc/passwd": "boatd:x:878:878:boatd:/var/lib/boatd:/bin/false\n", "etc/group": "dialout:x:20:gps,boatd\nx:x:877:\nboatd:x:878:\n"},
			map[string]string{"etc/init.d/S95boatd": "boatd"}},
		{"account of the maker's", map[string]string{"run/": "", "etc/passwd": "boatd:x:12:13::/:/bin/false\n", "etc/group": "boatd:x:13:\n", "etc/shadow": shadow},
			map[string]string{"etc/passwd": "boatd:x:12:13::/:/bin/false\n", "etc/group": "boatd:x:13:\n", "etc/shadow": shadow},
			map[string]string{"etc/init.d/S95boatd": "boatd"}},
	} {
		for _, shell := range [][]string{{"dash"}, {"busybox", "ash"}} {
			t.Run(c.name+" "+shell[0], func(t *testing.T) {
				dir := t.TempDir()
				fill(t, dir, accounts)
				fill(t, dir, map[string]string{"etc/init.d/": "", "etc/boatd/boatd.toml": ""})
				fill(t, dir, c.files)
				setup := append(slices.Clone(shell), file(t, "packaging/init/setup"))
				must(t, nil, append(setup, dir)...)
				once := tree(t, dir)
				must(t, nil, append(setup, dir+"/")...)
				if twice := tree(t, dir); twice != once {
					t.Errorf("the second time changes\n%s to\n%s", once, twice)
				}
				for name, want := range c.want {
					if got := read(t, filepath.Join(dir, name)); !strings.HasSuffix(got, want) {
						t.Errorf("%s is\n%s", name, got)
					}
				}
				if c.name == "OpenWrt" && !strings.Contains(read(t, dir+"/etc/group"), dialout) {
					t.Error("boatd may not open serial lines")
				}
				if info, err := os.Stat(dir + "/etc/boatd/boatd.toml"); err != nil || info.Mode() != 0o640 {
					t.Errorf("configuration: %v %v", info, err)
				}
				if got := links(t, dir); !maps.Equal(got, c.links) {
					t.Errorf("links %v, want %v", got, c.links)
				}
				must(t, nil, append(setup, "--unlink", dir)...)
				for name := range links(t, dir) {
					if name != "run" {
						t.Errorf("%s is left", name)
					}
				}
			})
		}
	}
}

func fill(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if strings.HasSuffix(name, "/") {
			if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
				t.Fatal(err)
			}
			continue
		}
		write(t, filepath.Join(dir, name), text, 0o644)
	}
}

// tree is all that is below a directory, with owners, modes and contents.
func tree(t *testing.T, dir string) string {
	t.Helper()
	return must(t, nil, "sh", "-c", `cd "$1" && find . | sort | while read -r f; do stat -c '%n %a %u %g %F' "$f"; done; cat etc/passwd etc/group etc/shadow`, "sh", dir)
}

// links are all symbolic links below a directory.
func links(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(must(t, nil, "find", dir, "-type", "l", "-printf", `%P %l\n`)) {
		name, to, _ := strings.Cut(strings.TrimSpace(line), " ")
		found[name] = to
	}
	return found
}

// TestIPKIntoImage: the scripts of the .ipk, run on the building machine as the
// makers of images do, see to the image and leave the machine alone.
func TestIPKIntoImage(t *testing.T) {
	needRoot(t)
	m := packages[2]
	for _, variable := range []string{"IPKG_INSTROOT", "D", "OPKG_OFFLINE_ROOT", "PKG_ROOT"} {
		t.Run(variable, func(t *testing.T) {
			machine := read(t, "/etc/passwd")
			data, control, _ := m.open(t)
			fill(t, data, accounts)
			fill(t, data, map[string]string{"run/": ""})
			env := []string{variable + "=" + data + "/"}
			link := filepath.Join(data, "etc/init.d/S95boatd")
			for range 2 {
				must(t, env, "busybox", "ash", control+"/postinst", "configure")
			}
			if !strings.Contains(read(t, data+"/etc/passwd"), "\nboatd:x:876:") || read(t, "/etc/passwd") != machine {
				t.Error("the account is not in the image, or on the machine")
			}
			must(t, env, "busybox", "ash", control+"/prerm", "upgrade", "1.2.3")
			if _, err := os.Lstat(link); err != nil {
				t.Errorf("an upgrade takes boatd out of the boot order: %v", err)
			}
			must(t, env, "busybox", "ash", control+"/prerm", "remove")
			if _, err := os.Lstat(link); !os.IsNotExist(err) {
				t.Errorf("removed, and still in the boot order: %v", err)
			}
		})
	}
}
