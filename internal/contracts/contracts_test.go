package contracts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
)

// names lists the sources.
func names(t *testing.T) []string {
	t.Helper()
	found, err := fs.Glob(files, "*.sol")
	if err != nil || len(found) == 0 {
		t.Fatalf("the sources are %v, %v", found, err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(found[i], ".sol")
	}
	return found
}

// TestCompiledFromTheSource: what was committed belongs to the source beside it,
// and nothing lies here without one.
func TestCompiledFromTheSource(t *testing.T) {
	artefacts, err := fs.Glob(files, "*.json")
	if err != nil || len(artefacts) != len(names(t)) {
		t.Errorf("%d sources and %d artefacts, %v", len(names(t)), len(artefacts), err)
	}
	for _, name := range names(t) {
		source, err := files.ReadFile(name + ".sol")
		if err != nil {
			t.Fatal(err)
		}
		c, err := Load(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if sum := sha256.Sum256(source); c.SourceSHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: compiled from another source; make contracts compiles it again", name)
		}
		if c.Compiler == "" || len(c.Settings) == 0 || !json.Valid(c.ABI) {
			t.Errorf("%s: the artefact does not say how it was made: %q, %s", name, c.Compiler, c.Settings)
		}
		if _, err := hex.DecodeString(c.DeployedBytecode); err != nil || c.DeployedBytecode == "" {
			t.Errorf("%s: the code on the chain is %q, %v", name, c.DeployedBytecode, err)
		}
	}
}

func TestLoadUnknown(t *testing.T) {
	if c, err := Load("Nothing"); err == nil {
		t.Errorf("a contract without a source: %+v", c)
	}
}
