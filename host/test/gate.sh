#!/bin/sh
# gate.sh library.elf ram.o : what the library may cost on a Cortex-M3.
# Code is what is linked with all of the library used, with what it takes from
# the C library; RAM is a struct boat and a ring of 256 bytes, without the stack.
set -eu
max_code=6144
max_ram=1024
code=$(arm-none-eabi-size "$1" | awk 'NR == 2 { print $1 + $2 }')
ram=$(arm-none-eabi-size "$2" | awk 'NR == 2 { print $2 + $3 }')
own=$(arm-none-eabi-size "$1" | awk 'NR == 2 { print $2 + $3 }')
echo "host library on a Cortex-M3: $code bytes of code (at most $max_code), $ram of RAM (at most $max_ram)"
[ "$code" -gt 4000 ] && [ "$code" -le "$max_code" ] && [ "$ram" -gt 256 ] && [ "$ram" -le "$max_ram" ] && [ "$own" -eq 0 ] || {
	echo "error: the host library is too large, has data of its own ($own bytes), or was not weighed" >&2
	exit 1
}
