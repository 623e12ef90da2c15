package main

import (
	"fmt"
	"strconv"
	"strings"
)

// lines say what rows of the table are, in the order of the page.
var lines = []struct{ name, what string }{
	{"start", "start, until all parts are ready and `AT` and `AT+BOATREADY?` are answered"},
	{"transaction", "a payment: ordered over AT, prepared, signed, sent over HTTP, seen included and confirmed, all steps in the journal"},
	{"sign-secp256k1-libsecp256k1", "signature, secp256k1, release build: key unsealed, signed, verified"},
	{"c-libsecp256k1-sign", "— beside it: libsecp256k1 in C, signing alone"},
	{"c-libsecp256k1-recover", "— beside it: libsecp256k1 in C, recovering alone (which verifies)"},
	{"sign-secp256k1-decred", "signature, secp256k1, build without cgo"},
	{"sign-secp256r1", "signature, secp256r1, which is Go's own in both builds"},
	{"at-line", "`AT`, from the bytes to `OK`"},
	{"c-poll-at-line", "— beside it: a loop in C with poll(2) that knows nothing but `AT`"},
	{"at-line-with-answer", "`AT+BOATERR?`, a command with parameters in its answer"},
	{"journal-step", "a record of 400 bytes, written and synced"},
	{"unlock", "a PIN is tried (argon2id, 19 MiB, 2 passes)"},
	{"unlock-memory", "memory that a PIN takes while it is tried"},
	{"unlock-memory-kept", "and keeps afterwards"},
	{"memory-written", "memory after 1000 payments: pages written"},
	{"memory-present", "memory after 1000 payments: all pages present, those of the program included"},
	{"size-boatd-armv7", "the binary, release build"},
	{"size-boatd-armv7-nocgo", "the binary without cgo"},
	{"transaction-time", "a payment on the x86 machine of the measurement"},
	{"ethers-transaction-time", "— beside it: ethers in node, without a journal"},
}

const (
	begin = "<!-- measured: written by make bench-arm UPDATE=1 -->\n"
	end   = "<!-- end -->"
)

// render puts the table into a page, between its two marks.
func render(page string, rows []row) (string, error) {
	before, rest, ok := strings.Cut(page, begin)
	_, after, also := strings.Cut(rest, end)
	if !ok || !also {
		return "", fmt.Errorf("%q and %q are not in it", strings.TrimSpace(begin), end)
	}
	var b strings.Builder
	b.WriteString("| what | measured | limit |\n|---|---|---|\n")
	placed := 0
	for _, l := range lines {
		for _, r := range rows {
			if strings.TrimSuffix(r.name, allocated) != l.name {
				continue
			}
			placed++
			what := l.what
			if r.name != l.name {
				what = "— and for that"
			}
			limit := ""
			if r.limit > 0 {
				limit = grouped(r.limit)
			}
			fmt.Fprintf(&b, "| %s | %s %s | %s |\n", what, grouped(r.value), unitName(r.unit), limit)
		}
	}
	for _, r := range rows {
		if ending, ok := strings.CutPrefix(r.name, packaged); ok {
			placed++
			fmt.Fprintf(&b, "| the package `%s` | %s bytes | |\n", ending, grouped(r.value))
		}
	}
	if placed != len(rows) {
		return "", fmt.Errorf("%d of %d rows have a place in it", placed, len(rows))
	}
	return before + begin + b.String() + end + after, nil
}

func unitName(unit string) string {
	switch unit {
	case "memory":
		return "bytes"
	case "microseconds":
		return "µs of processor time"
	}
	return unit
}

// grouped is a number with its thousands apart.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for at := len(s) - 3; at > 0; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}
