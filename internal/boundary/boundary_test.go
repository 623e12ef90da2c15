package boundary

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/boatd/boatd"

// builds are the ways in which the product is made.
var builds = map[string][]string{
	"amd64":        {"GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=1"},
	"armv7":        {"GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=1"},
	"armv7 no cgo": {"GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=0"},
}

// forbidden may not reach a device: a full node and what belongs to it, what
// only tests need, and what would let a bug run programs or serve a debugger.
// Each stands for the package and all below it.
var forbidden = []string{
	"testing", "os/exec", "net/http/pprof", "plugin", "expvar", "net/rpc",
	"github.com/ethereum/go-ethereum/accounts",
	"github.com/ethereum/go-ethereum/core",
	"github.com/ethereum/go-ethereum/eth",
	"github.com/ethereum/go-ethereum/ethclient",
	"github.com/ethereum/go-ethereum/ethdb",
	"github.com/ethereum/go-ethereum/node",
	"github.com/ethereum/go-ethereum/p2p",
	"github.com/ethereum/go-ethereum/rpc",
	"github.com/cockroachdb",
	"github.com/gorilla/websocket",
	"github.com/syndtr/goleveldb",
	"github.com/consensys/gnark-crypto",
	"google.golang.org/grpc",
	module + "/chains/chaintest",
	module + "/internal/contracts",
	module + "/internal/demo",
	module + "/internal/devchain",
	module + "/internal/fakenode",
	module + "/internal/vfs/crashfs",
	module + "/keystore/storetest",
}

// product lists the packages that a device runs: cmd/boatd and every room, less
// the suites and fakes that stand beside what they test.
func product(t *testing.T) []string {
	t.Helper()
	all := goList(t, nil, "{{.ImportPath}}", "./cmd/...", "./atcmd/...", "./wallet/...", "./chains/...", "./keystore/...", "./tee/...", "./internal/config")
	return slices.DeleteFunc(all, func(p string) bool { return isForbidden(p) })
}

func isForbidden(pkg string) bool {
	return slices.ContainsFunc(forbidden, func(f string) bool { return pkg == f || strings.HasPrefix(pkg, f+"/") })
}

// goList runs go list in the main module and returns its lines.
func goList(t *testing.T, env []string, format string, args ...string) []string {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-f", format}, args...)...)
	cmd.Dir = "../.."
	cmd.Env = append(cmd.Environ(), env...)
	var problem strings.Builder
	cmd.Stderr = &problem
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, &problem)
	}
	return strings.Fields(string(out))
}

func TestForbiddenPackages(t *testing.T) {
	roots := product(t)
	if len(roots) < 5 {
		t.Fatalf("the product has only %v", roots)
	}
	for name, env := range builds {
		for _, pkg := range goList(t, env, "{{.ImportPath}}", append([]string{"-deps"}, roots...)...) {
			if isForbidden(pkg) {
				t.Errorf("%s: %s is reached", name, pkg)
			}
		}
	}
}

// TestForbiddenIsSeen: the check above finds what it looks for.
func TestForbiddenIsSeen(t *testing.T) {
	for pkg, want := range map[string]bool{
		"os/exec": true, "os": false, "os/exec/internal": true, "testing/synctest": true, "testingx": false,
		"github.com/ethereum/go-ethereum/core/vm": true, "github.com/ethereum/go-ethereum/rlp": false,
		"github.com/ethereum/go-ethereum/eth/catalyst": true, "github.com/ethereum/go-ethereum/ethdb": true,
		module + "/chains": false, module + "/chains/chaintest": true,
	} {
		if isForbidden(pkg) != want {
			t.Errorf("isForbidden(%q) = %v", pkg, !want)
		}
	}
	if deps := goList(t, nil, "{{.ImportPath}}", "-deps", "go/build"); !slices.Contains(deps, "os/exec") {
		t.Errorf("go list -deps does not follow imports: %v", deps)
	}
}

// TestServerKnowsNoMoney: nothing of chains, keys or Ethereum comes in with the
// AT server, however far down.
func TestServerKnowsNoMoney(t *testing.T) {
	for _, pkg := range goList(t, nil, "{{.ImportPath}}", "-deps", "./atcmd", "./atcmd/port") {
		for _, f := range []string{module + "/chains", module + "/keystore", module + "/wallet", module + "/tee", "github.com/ethereum", "github.com/decred"} {
			if strings.HasPrefix(pkg, f) {
				t.Errorf("%s is reached", pkg)
			}
		}
	}
}

// TestSecp256k1IsPinned: from 4.4.1 on the table of multiples is made at first
// use and small enough for a module.
func TestSecp256k1IsPinned(t *testing.T) {
	const path = "github.com/decred/dcrd/dcrec/secp256k1/v4"
	got := goList(t, nil, "{{.Version}}", "-m", path)
	if len(got) != 1 || !atLeast(got[0], 4, 4, 1) {
		t.Errorf("%s is %v, want v4.4.1 or newer", path, got)
	}
}

func TestAtLeast(t *testing.T) {
	for v, want := range map[string]bool{
		"v4.4.1": true, "v4.4.2": true, "v4.10.0": true, "v5.0.0": true,
		"v4.4.0": false, "v4.0.1": false, "v3.9.9": false, "": false, "v4.4": false, "v4.4.1-rc1": false,
	} {
		if atLeast(v, 4, 4, 1) != want {
			t.Errorf("atLeast(%q) = %v", v, !want)
		}
	}
}
