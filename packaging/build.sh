#!/bin/sh
# build.sh: packages of the binaries that make has built, into build/packages. Run
# by `make packages` from the checkout's root, with VERSION and SOURCE_DATE_EPOCH.
# The same commit gives the same bytes, wherever it lies.
set -eu
export LC_ALL=C TZ=UTC
umask 022

out=build/packages
PACKAGE_VERSION=$(packaging/version.sh "$VERSION")
export PACKAGE_VERSION STAGE=$out/stage ARCH BINARY

rm -rf "$out"
mkdir -p "$STAGE"

changelog() {
	printf 'boatd (%s-1) unstable; urgency=medium\n\n' "$PACKAGE_VERSION"
	printf '  * Built from %s; the history is in the repository.\n\n' "$VERSION"
	printf ' -- The boatd authors <boatd@boatd.invalid>  %s\n' "$(date -R -u -d "@$SOURCE_DATE_EPOCH")"
}

changelog | gzip -9n >"$STAGE/changelog.Debian.gz"

# package FORMAT ARCHITECTURE
package() {
	ARCH=$2
	build/packager/nfpm package --config packaging/nfpm.yaml --packager "$1" --target "$out/"
}

# all BINARY DEB IPK TARBALL: every format, each with its family's name for the
# processor. The tarball has the same files as the .ipk, to be laid over a root.
all() {
	BINARY=$1
	package deb "$2"
	package ipk "$3"
	tar -xzOf "$out/boatd_$PACKAGE_VERSION-1_$3.ipk" ./data.tar.gz >"$out/boatd_$PACKAGE_VERSION-1_$4.tar.gz"
}

all build/boatd-armv7 armhf "$IPK_ARMV7" armv7
all build/boatd-arm64 arm64 "$IPK_ARM64" arm64
rm -r "$STAGE"
cd "$out"
sha256sum -- * >SHA256SUMS
