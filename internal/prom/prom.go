// Package prom writes metrics in the text exposition format of Prometheus,
// version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats).
package prom

import (
	"io"
	"strconv"
	"strings"
)

// ContentType is the format's media type.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// The types of metric that boatd has.
const (
	Counter = "counter"
	Gauge   = "gauge"
)

// A Writer gathers metrics. The zero value is ready.
type Writer struct {
	b    strings.Builder
	name string
}

// Family begins a metric: its name with its unit, its type, and what it says in
// one line. All of its samples follow before the next family.
func (w *Writer) Family(name, kind, help string) {
	w.name = name
	w.b.WriteString("# HELP " + name + " " + helpText.Replace(help) + "\n# TYPE " + name + " " + kind + "\n")
}

// Sample adds a value of the family; labels are names and values in turn.
func (w *Writer) Sample(value float64, labels ...string) {
	w.b.WriteString(w.name)
	for i := 0; i+1 < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		w.b.WriteString(sep + labels[i] + `="` + labelText.Replace(strings.ToValidUTF8(labels[i+1], "_")) + `"`)
	}
	if len(labels) > 1 {
		w.b.WriteByte('}')
	}
	w.b.WriteString(" " + strconv.FormatFloat(value, 'f', -1, 64) + "\n")
}

// One is a family with a single sample.
func (w *Writer) One(name, kind, help string, value float64) {
	w.Family(name, kind, help)
	w.Sample(value)
}

// WriteTo writes what was gathered.
func (w *Writer) WriteTo(out io.Writer) (int64, error) {
	n, err := io.WriteString(out, w.b.String())
	return int64(n), err
}

var (
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)
