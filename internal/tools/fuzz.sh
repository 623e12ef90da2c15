#!/bin/sh
# fuzz.sh time : run every fuzz target of the main module for that long.
set -eu
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Until Go 1.27 a target can fail at the very end of its time, with nothing
# found, because the end itself is taken for an error (golang/go#75804). Such an
# end says so on a line of its own and names no failing input.
ended() {
	grep -qx ' *context deadline exceeded' "$log" && ! grep -qE 'Failing input|panic:|fatal error:|DATA RACE' "$log"
}

count=0
for package in $(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do
	dir=$(go list -f '{{.Dir}}' "$package")
	grep -q '^func Fuzz' "$dir"/*_test.go || continue
	go test -list '^Fuzz' "$package" >"$log" || {
		cat "$log"
		exit 1
	}
	for target in $(grep '^Fuzz' "$log"); do
		echo "fuzz $package $target"
		if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" -fuzzminimizetime 20x -timeout 0 "$package" >"$log" 2>&1 && ! ended; then
			cat "$log"
			exit 1
		fi
		grep 'execs:' "$log" | tail -n 1
		count=$((count + 1))
	done
done
echo "$count fuzz targets"
[ "$count" -gt 0 ]
