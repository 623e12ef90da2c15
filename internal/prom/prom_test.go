package prom

import (
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	var w Writer
	w.Family("a_total", Counter, "One\nline, with a \\.")
	w.Sample(3)
	w.Sample(0.5, "name", `quote " back \ line`+"\n")
	w.Sample(1<<53, "a", "b", "c", "\xff")
	w.One("b_bytes", Gauge, "More.", -1)
	var b strings.Builder
	if n, err := w.WriteTo(&b); err != nil || int(n) != b.Len() {
		t.Fatal(n, err)
	}
	const want = `# HELP a_total One\nline, with a \\.
# TYPE a_total counter
a_total 3
a_total{name="quote \" back \\ line\n"} 0.5
a_total{a="b",c="_"} 9007199254740992
# HELP b_bytes More.
# TYPE b_bytes gauge
b_bytes -1
`
	if b.String() != want {
		t.Errorf("%s\nnot\n%s", b.String(), want)
	}
}
