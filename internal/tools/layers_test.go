package tools

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const module = "github.com/boatd/boatd/"

// planted are imports, each the only one of a file in a checkout that is made
// for this test, and whether the layers allow them.
var planted = []struct {
	file, imports string
	good          bool
}{
	{"cmd/boatd/main.go", "atcmd/boat", true},
	{"cmd/boatd/main.go", "atcmd/port", true},
	{"cmd/boatd/main.go", "chains/ethereum", true},
	{"cmd/boatd/main.go", "tee/device", true},
	{"cmd/boatd/main.go", "internal/config", true},
	{"cmd/boatd/main.go", "internal/fakenode", false},
	{"cmd/boatd/main.go", "internal/contracts", false},
	{"cmd/boatd/main.go", "os/exec", false},
	{"cmd/boatd/main.go", "net/http/pprof", false},
	{"cmd/boatd/main.go", "testing", false},
	{"cmd/boatd/main_test.go", "os/exec", true},

	{"atcmd/port/x.go", "atcmd", true},
	{"atcmd/port/x.go", "internal/vfs", true},
	{"atcmd/x.go", "atcmd/boat", false},
	{"atcmd/x.go", "wallet", false},
	{"atcmd/x_test.go", "wallet", false},
	{"atcmd/port/x.go", "chains", false},
	{"atcmd/x.go", "keystore", false},
	{"atcmd/x.go", "tee", false},
	{"atcmd/x.go", "internal/config", false},

	{"atcmd/boat/x.go", "atcmd", true},
	{"atcmd/boat/x.go", "wallet", true},
	{"atcmd/boat/x.go", "chains", true},
	{"atcmd/boat/x.go", "chains/ethereum", false},
	{"atcmd/boat/x_test.go", "chains/ethereum", true},
	{"atcmd/boat/x.go", "keystore/soft", false},
	{"atcmd/boat/x.go", "tee", false},

	{"wallet/x.go", "chains", true},
	{"wallet/x.go", "keystore", true},
	{"wallet/x.go", "wallet/journal", true},
	{"wallet/x.go", "chains/ethereum", false},
	{"wallet/x_test.go", "chains/chaintest", true},
	{"wallet/journal/x.go", "internal/vfs/crashfs", false},
	{"wallet/journal/x_test.go", "internal/vfs/crashfs", true},
	{"wallet/journal/x.go", "atcmd", false},
	{"wallet/x_test.go", "atcmd", false},
	{"wallet/x.go", "keystore/soft", false},
	{"wallet/x.go", "tee/device", false},

	{"chains/x.go", "internal/amount", true},
	{"chains/x.go", "chains/ethereum", false},
	{"chains/ethereum/x.go", "chains", true},
	{"chains/ethereum/x.go", "internal/jsonrpc", true},
	{"chains/ethereum/x.go", "internal/fakenode", false},
	{"chains/ethereum/x_test.go", "internal/fakenode", true},
	{"chains/ethereum/x.go", "chains/chaintest", false},
	{"chains/chaintest/x.go", "testing", true},
	{"chains/chaintest/x.go", "keystore", false},
	{"chains/ethereum/x.go", "keystore", false},
	{"chains/x.go", "wallet", false},

	{"keystore/soft/x.go", "keystore", true},
	{"keystore/soft/x.go", "tee", true},
	{"keystore/soft/x.go", "internal/secret", true},
	{"keystore/soft/x.go", "tee/device", false},
	{"keystore/soft/x_test.go", "tee/device", true},
	{"keystore/x.go", "keystore/soft", false},
	{"keystore/soft/x.go", "chains", false},
	{"keystore/soft/x_test.go", "wallet", false},

	{"tee/device/x.go", "tee", true},
	{"tee/device/x.go", "internal/vfs", true},
	{"tee/x.go", "tee/device", false},
	{"tee/device/x.go", "keystore", false},

	{"internal/vfs/x.go", "internal/amount", true},
	{"internal/vfs/x.go", "chains", false},
	{"internal/config/x.go", "chains", true},
	{"internal/config/x.go", "atcmd", true},
	{"internal/config/x.go", "atcmd/port", false},
	{"internal/config/x.go", "chains/ethereum", false},
	{"internal/config/x_test.go", "chains/ethereum", true},
	{"internal/config/x_test.go", "wallet", false},
	{"internal/fakenode/x.go", "testing", true},

	{"internal/ops/x.go", "wallet", true},
	{"internal/ops/x.go", "keystore", false},
	{"internal/ops/x.go", "chains/ethereum", false},
	{"internal/ops/x.go", "os/exec", false},
	{"internal/logs/x.go", "wallet", false},
	{"internal/scrub/x.go", "internal/config", false},
	{"wallet/x.go", "internal/ops", false},
	{"atcmd/x.go", "internal/ops", false},
}

// TestLayers: depguard complains about exactly the planted imports that the
// layers forbid. The checkout lies below folders with the names of rooms, which
// must not matter.
func TestLayers(t *testing.T) {
	rules, err := os.ReadFile("depguard.yaml")
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(t.TempDir(), "depguard")
	goTool(t, ".", "build", "-o", bin, "github.com/OpenPeeDeeP/depguard/v2/cmd/depguard")
	for _, p := range planted {
		t.Run(p.file+" imports "+p.imports, func(t *testing.T) {
			t.Parallel()
			root := filepath.Join(t.TempDir(), "wallet", "tee", "atcmd", "boat")
			plant(t, root, p.file, p.imports)
			write(t, filepath.Join(root, ".depguard.yaml"), strings.ReplaceAll(string(rules), "ROOT", root))
			cmd := exec.Command(bin, "./"+filepath.Dir(p.file))
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			if good := err == nil; good != p.good {
				t.Errorf("accepted %v: %v\n%s", good, err, out)
			}
			if !p.good && !strings.Contains(string(out), "is not allowed from list") {
				t.Errorf("refused for another reason:\n%s", out)
			}
		})
	}
}

// plant makes a module in which one file imports one package.
func plant(t *testing.T, root, file, imports string) {
	t.Helper()
	write(t, filepath.Join(root, "go.mod"), "module "+strings.TrimSuffix(module, "/")+"\n\ngo 1.26.0\n")
	path := imports
	if room, _, _ := strings.Cut(imports, "/"); strings.Contains("atcmd wallet chains keystore tee internal", room) {
		path = module + imports
		write(t, filepath.Join(root, imports, "it.go"), "package it\n")
	}
	name := "p"
	if imports == filepath.Dir(file) {
		name = "it"
	}
	write(t, filepath.Join(root, file), "package "+name+"\n\nimport _ \""+path+"\"\n")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func goTool(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
