package packager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReproducible builds all packages once more, elsewhere, from a copy of the
// sources without history, with nothing compiled before, another umask, time zone
// and language, and compares every byte.
func TestReproducible(t *testing.T) {
	version, epoch := os.Getenv("VERSION"), os.Getenv("SOURCE_DATE_EPOCH")
	if version == "" || epoch == "" {
		t.Fatal("VERSION and SOURCE_DATE_EPOCH of what was built are not known; make packages-check sets them")
	}
	dir := filepath.Join(t.TempDir(), "another", "place-with-a-longer-name", "boatd")
	must(t, nil, "sh", "-c", `mkdir -p "$2" && cd "$1" && git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$2"`,
		"sh", file(t, "."), dir)
	// What packs and describes is not what is packed: it need not be built again.
	must(t, nil, "sh", "-c", `for f in packager/nfpm tools/bom; do mkdir -p "$2/build/${f%/*}" && cp "$1/build/$f" "$2/build/$f"; done`, "sh", file(t, "."), dir)
	env := []string{"GOCACHE=" + t.TempDir(), "TZ=Pacific/Auckland", "LANG=C", "LC_ALL=C", "MAKEFLAGS=", "SOURCE_DATE_EPOCH=" + epoch}
	must(t, env, "sh", "-c", `umask 077 && cd "$1" && make packages VERSION="$2"`, "sh", dir, version)
	want := read(t, file(t, "build/packages/SHA256SUMS"))
	got := read(t, filepath.Join(dir, "build/packages/SHA256SUMS"))
	if got != want || strings.Count(got, "\n") < 9 {
		t.Errorf("built here:\n%sbuilt elsewhere:\n%s", want, got)
	}
}
