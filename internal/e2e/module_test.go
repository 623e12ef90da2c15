//go:build e2e

package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/boatd/boatd/internal/module"
)

// moduleImages is what make module builds.
const moduleImages = "../../build/module"

// uartChannel is the module's line to its host.
const uartChannel = `
[[channel]]
name = "uart"
type = "serial"
device = "/dev/ttyS0"
baud = 921600
flow = "none"
`

// noClock is a real-time clock whose battery is flat.
var noClock = []string{"-rtc", "base=1970-01-01T00:00:10"}

// packages are the files that make packages builds for the box.
var packages = map[string]string{
	module.Debian.Name: "../../build/packages/boatd_*_armhf.deb",
	module.Small.Name:  "../../build/packages/boatd_*_arm_cortex-a7_*.ipk",
}

// packageFor returns the package for a root.
func packageFor(t testing.TB, root module.Root) string {
	t.Helper()
	found, err := filepath.Glob(packages[root.Name])
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %d files, %v; make packages builds it", packages[root.Name], len(found), err)
	}
	return found[0]
}

// onDataPartition are the files that put boatd's state on a data partition under
// systemd, as the integrator's guide has them.
var onDataPartition = map[string]string{
	"/etc/systemd/system/boatd.service.d/data.conf": `[Unit]
RequiresMountsFor=/data

[Service]
StateDirectory=
ReadWritePaths=/data/boatd
`,
	"/usr/lib/tmpfiles.d/boatd-data.conf": "d /data/boatd 0700 boatd boatd\n",
}

// uartRule is the packaged udev rule with the line for a UART of the module, and
// that UART's name.
func uartRule(t testing.TB) string {
	t.Helper()
	rule, err := os.ReadFile("../../packaging/udev/70-boatd.rules")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.Replace(string(rule), `#KERNEL=="ttyHS0"`, `KERNEL=="ttyS0"`, 1)
	if own == string(rule) {
		t.Fatal("the packaged udev rule has no line for a UART")
	}
	return own
}

// installed returns a root in which boatd's package is installed with a
// configuration.
func installed(t testing.TB, root module.Root, config string) string {
	t.Helper()
	image, err := module.Install(t.Context(), shortDir(t), moduleImages, root, packageFor(t, root), func(b *module.Box) error {
		if err := b.Put(t.Context(), "/etc/boatd/boatd.toml", []byte(config)); err != nil {
			return err
		}
		if root.Name != module.Debian.Name {
			return nil
		}
		files := maps.Clone(onDataPartition)
		files["/etc/udev/rules.d/70-boatd.rules"] = uartRule(t)
		for path, content := range files {
			if _, err := b.Run(t.Context(), "mkdir -p "+filepath.Dir(path), nil); err != nil {
				return err
			}
			if err := b.Put(t.Context(), path, []byte(content)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return image
}
