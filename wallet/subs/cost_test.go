package subs_test

import (
	"context"
	"testing"
)

// BenchmarkLook is what one look costs while nothing is new, and while ten events
// are, which are written in one step.
func BenchmarkLook(b *testing.B) {
	for name, events := range map[string]int{"idle": 0, "ten events": 10} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, 1, 8)
			w.add("0x00", "any")
			w.add("0x01", "any")
			w.ok(w.look())
			n, err := w.nets.Get("net")
			w.ok(err)
			b.ReportAllocs()
			for b.Loop() {
				if events > 0 {
					w.chain.mine(events)
					if _, err := w.subs.Acknowledge(1<<32 - 1); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.subs.Look(context.Background(), n); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(w.fs.Counters().Syncs)/float64(b.N), "syncs/op")
		})
	}
}
