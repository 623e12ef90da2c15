//go:build e2e

package e2e

import (
	"path/filepath"
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

// stateDropIn puts boatd's state on the data partition, as the integrator's guide
// shows it.
const stateDropIn = `[Unit]
RequiresMountsFor=/data

[Service]
ExecStartPre=+/usr/bin/install -d -o boatd -g boatd -m 0700 /data/boatd
ReadWritePaths=/data
`

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
		const folder = "/etc/systemd/system/boatd.service.d"
		if _, err := b.Run(t.Context(), "mkdir -p "+folder, nil); err != nil {
			return err
		}
		return b.Put(t.Context(), folder+"/state.conf", []byte(stateDropIn))
	})
	if err != nil {
		t.Fatal(err)
	}
	return image
}
