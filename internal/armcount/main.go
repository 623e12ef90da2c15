// Command armcount measures what boatd takes of an ARMv7 device and compares it
// with the table in budget.txt: instructions, exactly, by a plugin of qemu-arm;
// allocations; memory; sizes. Beside them stand others that do the same, measured
// in the same run. It runs in the root of a checkout, after make has built what it
// needs in build/.
//
// Every program runs with one processor's worth of Go (GOMAXPROCS=1), as on the
// device. With -update the table and docs/performance.md are written again.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

const (
	tablePath = "internal/armcount/budget.txt"
	pagePath  = "docs/performance.md"
)

func main() {
	update := flag.Bool("update", false, "write the table and the page again")
	flag.Parse()
	if err := run(context.Background(), *update); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, update bool) error {
	text, err := os.ReadFile(tablePath)
	if err != nil {
		return err
	}
	expected, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", tablePath, err)
	}
	measured, err := measure(ctx, expected)
	if err != nil {
		return err
	}
	if update {
		expected = renew(expected, measured)
		if err := save(expected); err != nil {
			return err
		}
	}
	if bad := judge(os.Stdout, expected, measured); bad > 0 {
		return fmt.Errorf("%d rows are not as %s has them", bad, tablePath)
	}
	return nil
}

// measure measures everything. The memory of a boatd that works for a minute is
// measured beside the rest, which it does not change.
func measure(ctx context.Context, expected []row) ([]row, error) {
	dir, err := os.MkdirTemp("", "armcount")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := os.Setenv("GOMAXPROCS", "1"); err != nil {
		return nil, err
	}
	aside := &bench{build: "build", dir: dir}
	done := make(chan error, 1)
	go func() { done <- aside.memory(ctx) }()
	b := &bench{build: "build", dir: dir}
	if err := b.packages(expected); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name string
		do   func(*bench, context.Context) error
	}{{"sizes", (*bench).sizes}, {"programs", (*bench).programs}, {"boatd", (*bench).daemon}, {"boatd on this machine", (*bench).native}, {"ethers", (*bench).ethers}} {
		began := time.Now()
		if err := part.do(b, ctx); err != nil {
			return nil, fmt.Errorf("%s: %w", part.name, err)
		}
		fmt.Fprintf(os.Stderr, "%s: %.1f s\n", part.name, time.Since(began).Seconds())
	}
	if err := <-done; err != nil {
		return nil, fmt.Errorf("memory: %w", err)
	}
	return append(b.rows, aside.rows...), nil
}

// save writes the table and what the page says of it.
func save(rows []row) error {
	var table strings.Builder
	if err := write(&table, rows); err != nil {
		return err
	}
	page, err := os.ReadFile(pagePath)
	if err != nil {
		return err
	}
	text, err := render(string(page), rows)
	if err != nil {
		return fmt.Errorf("%s: %w", pagePath, err)
	}
	if err := os.WriteFile(tablePath, []byte(table.String()), 0o644); err != nil {
		return err
	}
	return os.WriteFile(pagePath, []byte(text), 0o644)
}
