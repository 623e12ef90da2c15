#!/bin/sh
# need.sh command package... : install Debian packages unless the command is there.
set -eu
command=$1
shift
if command -v "$command" >/dev/null 2>&1; then
	exit 0
fi
if ! command -v apt-get >/dev/null 2>&1; then
	echo "error: $command is missing; install it (Debian's packages: $*)" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "error: $command is missing; run as root: apt-get install $*" >&2
	exit 1
fi
echo "installing $*"
export DEBIAN_FRONTEND=noninteractive
# An index that cannot be had need not matter: the installation tells.
apt-get update -q || true
apt-get install -q -y --no-install-recommends "$@"
command -v "$command" >/dev/null 2>&1 || {
	echo "error: $* did not bring $command" >&2
	exit 1
}
