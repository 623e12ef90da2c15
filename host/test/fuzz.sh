#!/bin/sh
# fuzz.sh program time : run a libFuzzer program for that long (10s, 5m, 1h).
set -eu
program=$1
case $2 in
*h) seconds=$((${2%h} * 3600)) ;;
*m) seconds=$((${2%m} * 60)) ;;
*) seconds=${2%s} ;;
esac
mkdir -p "$program.corpus"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "fuzz host library"
"$program" -max_total_time="$seconds" -max_len=2000 -artifact_prefix="$(dirname "$program")/" \
	"$program.corpus" "$(dirname "$0")/corpus" >"$log" 2>&1 || {
	tail -n 60 "$log"
	exit 1
}
tail -n 1 "$log"
