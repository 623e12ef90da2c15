package packager

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// common are the files of every package, with their modes.
var common = map[string]string{
	"/etc/boatd/boatd.toml":                       "-rw-r--r--",
	"/lib/udev/rules.d/70-boatd.rules":            "-rw-r--r--",
	"/usr/bin/boatd":                              "-rwxr-xr-x",
	"/usr/share/doc/boatd/THIRD_PARTY_NOTICES.gz": "-rw-r--r--",
	"/usr/share/doc/boatd/boatd.cdx.json.gz":      "-rw-r--r--",
	"/usr/share/doc/boatd/changelog.Debian.gz":    "-rw-r--r--",
	"/usr/share/doc/boatd/copyright":              "-rw-r--r--",
	"/usr/share/doc/boatd/examples/boatd.toml":    "-rw-r--r--",
	"/usr/share/doc/boatd/examples/networks.toml": "-rw-r--r--",
}

var ofDeb = map[string]string{
	"/lib/systemd/system/boatd.service":               "-rw-r--r--",
	"/usr/lib/sysusers.d/boatd.conf":                  "-rw-r--r--",
	"/usr/share/bash-completion/completions/boatd":    "-rw-r--r--",
	"/usr/share/fish/vendor_completions.d/boatd.fish": "-rw-r--r--",
	"/usr/share/lintian/overrides/boatd":              "-rw-r--r--",
	"/usr/share/man/man5/boatd.toml.5.gz":             "-rw-r--r--",
	"/usr/share/man/man7/boat-at.7.gz":                "-rw-r--r--",
	"/usr/share/man/man8/boatd.8.gz":                  "-rw-r--r--",
	"/usr/share/zsh/vendor-completions/_boatd":        "-rw-r--r--",
}

var ofIPK = map[string]string{
	"/etc/init.d/boatd":    "-rwxr-xr-x",
	"/usr/lib/boatd/setup": "-rwxr-xr-x",
}

// A made package: its kind, what it is called, and what it must be.
type made struct {
	pattern, architecture, binary string
	machine                       elf.Machine
	files                         map[string]string
}

var packages = []made{
	{"_armhf.deb", "armhf", "boatd-armv7", elf.EM_ARM, ofDeb},
	{"_arm64.deb", "arm64", "boatd-arm64", elf.EM_AARCH64, ofDeb},
	{"_arm_cortex-a7_neon-vfpv4.ipk", "arm_cortex-a7_neon-vfpv4", "boatd-armv7", elf.EM_ARM, ofIPK},
	{"_aarch64_generic.ipk", "aarch64_generic", "boatd-arm64", elf.EM_AARCH64, ofIPK},
	{"_armv7.tar.gz", "", "boatd-armv7", elf.EM_ARM, ofIPK},
	{"_arm64.tar.gz", "", "boatd-arm64", elf.EM_AARCH64, ofIPK},
}

// open unpacks a package: its files below data, what the package tool reads below
// control. It returns the listing of its files.
func (m *made) open(t *testing.T) (data, control, listing string) {
	t.Helper()
	dir := t.TempDir()
	data, control = filepath.Join(dir, "data"), filepath.Join(dir, "control")
	for _, d := range []string{data, control} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	archive := one(t, m.pattern)
	switch {
	case strings.HasSuffix(m.pattern, ".deb"):
		must(t, nil, "dpkg-deb", "-x", archive, data)
		must(t, nil, "dpkg-deb", "-e", archive, control)
		return data, control, must(t, nil, "dpkg-deb", "-c", archive)
	case strings.HasSuffix(m.pattern, ".ipk"):
		must(t, nil, "tar", "-xzf", archive, "-C", dir)
		if version := read(t, dir+"/debian-binary"); version != "2.0\n" {
			t.Errorf("debian-binary is %q", version)
		}
		must(t, nil, "tar", "-xzf", dir+"/control.tar.gz", "-C", control)
		archive = dir + "/data.tar.gz"
	}
	must(t, nil, "tar", "-xzf", archive, "-C", data)
	return data, control, must(t, nil, "tar", "-tvzf", archive)
}

func TestPackages(t *testing.T) {
	for _, m := range packages {
		t.Run(m.pattern, func(t *testing.T) {
			data, control, listing := m.open(t)
			m.checkListing(t, listing)
			m.checkBinary(t, filepath.Join(data, "usr/bin/boatd"))
			if m.architecture != "" {
				m.checkControl(t, control)
			}
		})
	}
}

// checkListing: just these files, of root, with these modes; directories are open
// to read.
func (m *made) checkListing(t *testing.T, listing string) {
	t.Helper()
	found := map[string]string{}
	for line := range strings.Lines(listing) {
		f := strings.Fields(line)
		if f[1] != "root/root" {
			t.Errorf("not root's: %s", line)
		}
		name := strings.TrimPrefix(f[5], ".")
		if !strings.HasSuffix(name, "/") {
			found[name] = f[0]
		} else if f[0] != "drwxr-xr-x" {
			t.Errorf("directory %s", line)
		}
	}
	for _, want := range []map[string]string{common, m.files} {
		for name, mode := range want {
			if found[name] != mode {
				t.Errorf("%s: mode %q, want %q", name, found[name], mode)
			}
			delete(found, name)
		}
	}
	for name := range found {
		t.Errorf("%s is there too", name)
	}
}

// checkBinary: static, for the processor, and the one that was built.
func (m *made) checkBinary(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Machine != m.machine || slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		t.Errorf("machine %v, or not static", f.Machine)
	}
	if read(t, path) != read(t, file(t, "build/"+m.binary)) {
		t.Errorf("not build/%s", m.binary)
	}
}

func (m *made) checkControl(t *testing.T, dir string) {
	t.Helper()
	control := read(t, dir+"/control")
	for _, want := range []string{"Package: boatd", "Architecture: " + m.architecture} {
		if !strings.Contains("\n"+control, "\n"+want+"\n") {
			t.Errorf("no %q in\n%s", want, control)
		}
	}
	version := regexp.MustCompile(`(?m)^Version: (.*)$`).FindStringSubmatch(control)
	if version == nil || !strings.Contains(one(t, m.pattern), "/boatd_"+version[1]+"_") {
		t.Errorf("version %q is not that of the file's name", version)
	}
	if conffiles := strings.TrimSpace(read(t, dir+"/conffiles")); conffiles != "/etc/boatd/boatd.toml" {
		t.Errorf("conffiles %q", conffiles)
	}
	// No script of a package may name what is in the state directory.
	scripts, _ := filepath.Glob(dir + "/p*")
	if len(scripts) < 2 {
		t.Errorf("scripts %q", scripts)
	}
	for _, s := range scripts {
		if found := regexp.MustCompile(`rm -|device\.key|journal`).FindString(read(t, s)); found != "" {
			t.Errorf("%s has %q", s, found)
		}
	}
}

// TestPackagedConfiguration: as installed, boatd starts, and nobody but this
// machine reaches it.
func TestPackagedConfiguration(t *testing.T) {
	path := file(t, "packaging/boatd.toml")
	if out := must(t, nil, file(t, "build/boatd"), "check-config", "--config", path); out != "the configuration is good\n" {
		t.Errorf("%s", out)
	}
	effective := must(t, nil, file(t, "build/boatd"), "check-config", "--effective", "--config", path)
	if strings.Count(effective, "[[channel]]") != 1 || !strings.Contains(effective, `type = "unix"`) || strings.Contains(effective, "[[network]]") {
		t.Errorf("%s", effective)
	}
	for _, want := range []string{`state_dir = "/var/lib/boatd"`, "allow_volatile_state = false", "pin_required = true", "allow_key_export = false"} {
		if !strings.Contains(effective, want) {
			t.Errorf("%s is not in\n%s", want, effective)
		}
	}
	// The examples in it are good, too.
	all := regexp.MustCompile(`(?m)^#([\[a-z])`).ReplaceAllString(read(t, path), "$1")
	examples := filepath.Join(t.TempDir(), "boatd.toml")
	write(t, examples, all, 0o644)
	must(t, nil, file(t, "build/boatd"), "check-config", "--config", examples)
	if strings.Count(all, "\n[[") != 4 {
		t.Errorf("examples are missing in\n%s", all)
	}
}

// TestLifeOfPackage: installed into a root from outside, upgraded, removed and
// purged, the configuration is kept as the administrator has it until the purge,
// and the state longer.
func TestLifeOfPackage(t *testing.T) {
	needRoot(t)
	dir := t.TempDir()
	fill(t, dir, accounts)
	fill(t, dir, map[string]string{"var/lib/dpkg/status": "", "var/lib/dpkg/updates/": "", "var/lib/dpkg/info/": "", "etc/systemd/system/": ""})
	dpkg := func(args ...string) {
		t.Helper()
		must(t, nil, append([]string{"dpkg", "--root=" + dir, "--force-script-chrootless,architecture,depends", "--log=" + dir + "/log"}, args...)...)
	}
	config, journal := filepath.Join(dir, "etc/boatd/boatd.toml"), filepath.Join(dir, "var/lib/boatd/journal")
	wants := filepath.Join(dir, "etc/systemd/system/multi-user.target.wants/boatd.service")
	deb := one(t, "_armhf.deb")
	dpkg("--install", deb)
	if _, err := os.Lstat(wants); err != nil {
		t.Errorf("the service is not enabled: %v", err)
	}
	mine := read(t, config) + "# mine\n"
	write(t, config, mine, 0o640)
	write(t, journal, "keys", 0o600)
	dpkg("--install", deb)
	if got := read(t, config); got != mine {
		t.Errorf("an upgrade wrote over the configuration:\n%s", got)
	}
	dpkg("--remove", "boatd")
	if got := read(t, config); got != mine {
		t.Errorf("removal wrote over the configuration:\n%s", got)
	}
	dpkg("--purge", "boatd")
	if _, err := os.Stat(config); !os.IsNotExist(err) {
		t.Errorf("a purge leaves the configuration: %v", err)
	}
	if got := read(t, journal); got != "keys" {
		t.Errorf("a purge took the state: %q", got)
	}
	if left := links(t, dir); len(left) > 0 {
		t.Errorf("links are left: %v", left)
	}
}

// TestBill: the bills are what CycloneDX says they must be, and about the binaries
// that are in the packages.
func TestBill(t *testing.T) {
	for _, m := range packages[4:] {
		path := one(t, strings.TrimSuffix(m.pattern, ".tar.gz")+".cdx.json")
		must(t, nil, "node", "validate.js", file(t, "build/packager/npm/node_modules"), path)
		var bill struct {
			Metadata   struct{ Component component }
			Components []component
		}
		if err := json.Unmarshal([]byte(read(t, path)), &bill); err != nil {
			t.Fatal(err)
		}
		sum := fmt.Sprintf("%x", sha256.Sum256([]byte(read(t, file(t, "build/"+m.binary)))))
		if c := bill.Metadata.Component; len(c.Hashes) != 1 || c.Hashes[0].Content != sum {
			t.Errorf("%s is about %v, not %s", path, c, sum)
		}
		names := map[string]bool{}
		for _, c := range bill.Components {
			names[c.Name] = true
			if c.Version == "" || len(c.Licenses) != 1 || len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64 {
				t.Errorf("%s: incomplete: %v", path, c)
			}
		}
		for _, want := range []string{"std", "libc", "libgcc", "libsecp256k1", "github.com/ethereum/go-ethereum", "github.com/spf13/viper"} {
			if !names[want] {
				t.Errorf("%s is not in %s", want, path)
			}
		}
	}
}

type component struct {
	Name, Version string
	Licenses      []any
	Hashes        []struct{ Content string }
}

// TestNoticesInFull: the texts that the licences want to come along do.
func TestNoticesInFull(t *testing.T) {
	text := read(t, file(t, "THIRD_PARTY_NOTICES"))
	for _, want := range []string{
		"GNU LESSER GENERAL PUBLIC LICENSE\n                       Version 3,", "GNU GENERAL PUBLIC LICENSE\n                       Version 3,",
		"Version 2.1, February 1999", "END OF TERMS AND CONDITIONS", "Copyright (c) 2013 Pieter Wuille", "Copyright 2009 The Go Authors",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// TestLint: what others' tools say of packages and scripts.
func TestLint(t *testing.T) {
	for _, m := range packages[:2] {
		if out := must(t, nil, "lintian", "--allow-root", "--fail-on", "error,warning", one(t, m.pattern)); strings.TrimSpace(out) != "" {
			t.Errorf("lintian:\n%s", out)
		}
	}
	scripts := []string{"build.sh", "version.sh", "deb/postinst", "deb/prerm", "deb/postrm", "ipk/postinst", "ipk/prerm", "init/boatd", "init/setup"}
	for _, s := range scripts {
		must(t, nil, "shellcheck", "--shell=dash", "--severity=info", file(t, "packaging/"+s))
		must(t, nil, "busybox", "ash", "-n", file(t, "packaging/"+s))
	}
}
