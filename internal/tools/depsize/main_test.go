package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestPackageOf(t *testing.T) {
	for symbol, want := range map[string]string{
		"main.main":                                       "main",
		"runtime.mallocgc":                                "runtime",
		"encoding/json.(*Decoder).Decode":                 "encoding/json",
		"github.com/spf13/viper.(*Viper).Get":             "github.com/spf13/viper",
		"github.com/spf13/viper.(*Viper).Get.func1":       "github.com/spf13/viper",
		"go.uber.org/zap.New":                             "go.uber.org/zap",
		"github.com/fxamacker/cbor/v2.Marshal":            "github.com/fxamacker/cbor/v2",
		"gopkg.in/yaml%2ev3.Unmarshal":                    "gopkg.in/yaml.v3",
		"type:.eq.github.com/spf13/viper.Viper":           "github.com/spf13/viper",
		"go:itab.*github.com/spf13/viper.Viper,io.Reader": "github.com/spf13/viper",
		"slices.SortFunc[go.shape.[]a/b.T,go.shape.int]":  "slices",
		"go:buildid":       "runtime",
		"_rt0_amd64_linux": "runtime",
		"secp256k1_ecmult": "",
		"blst_p1_add":      "",
	} {
		if got := packageOf(symbol); got != want {
			t.Errorf("%s: %q, want %q", symbol, got, want)
		}
	}
}

func TestOwner(t *testing.T) {
	modules := []part{{path: "github.com/boatd/boatd"}, {path: "go.uber.org/zap"}, {path: "go.uber.org/zap/exp"}}
	for symbol, want := range map[string]int{
		"main.main": 0, "github.com/boatd/boatd/wallet.Open": 0, "go.uber.org/zap/zapcore.New": 1,
		"go.uber.org/zap/exp/x.F": 2, "go.uber.org/zapper.F": 3, "fmt.Println": 3, "memcpy": 4,
	} {
		if got := owner(symbol, modules); got != want {
			t.Errorf("%s: part %d, want %d", symbol, got, want)
		}
	}
}

// TestMeasure weighs this program, whose only module is its own.
func TestMeasure(t *testing.T) {
	program := filepath.Join(t.TempDir(), "depsize")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	parts, err := measure(program)
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	weights := map[string]uint64{}
	var sum uint64
	for _, p := range parts {
		weights[p.path] = p.kib()
		sum += p.bytes
	}
	own := weights["github.com/boatd/boatd/internal/tools"]
	if own < 2 || own > 200 || weights[standard] < 500 || weights[tables] < 200 {
		t.Errorf("weights in KiB: %v", weights)
	}
	if sum > uint64(st.Size()) {
		t.Errorf("the parts weigh %d bytes, the file %d", sum, st.Size())
	}
}

const before = `# Title

| module | version | KiB | licence | why |
|---|---|---|---|---|
| ` + "`a`" + ` | v0 | 1 | MIT | reasons |
| b | v2 | 2 | BSD | more |

| other | table |
|---|---|
`

func TestUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "d.md")
	if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := update(path, []part{{"a", "v1", 10240}, {"b", "v2", 511}}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(before, "| `a` | v0 | 1 |", "| `a` | v1 | 10 |", 1)
	want = strings.Replace(want, "| b | v2 | 2 |", "| `b` | v2 | 0 |", 1)
	if string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	err = update(path, []part{{"a", "v1", 1}, {"c", "v1", 1}})
	if err == nil || !strings.Contains(err.Error(), "b is not in the binary") || !strings.Contains(err.Error(), "c has no row") {
		t.Errorf("a table that lacks c and has b: %v", err)
	}
}
