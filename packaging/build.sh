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
gzip -9nc THIRD_PARTY_NOTICES >"$STAGE/THIRD_PARTY_NOTICES.gz"

recipe=$STAGE/nfpm.yaml
cp packaging/nfpm.yaml "$recipe"
for page in build/man/*.[1-8]; do
	name=${page##*/}
	[ -e "$page" ] || continue
	gzip -9nc "$page" >"$STAGE/$name.gz"
	echo "  - {src: $STAGE/$name.gz, dst: /usr/share/man/man${name##*.}/$name.gz, packager: deb, file_info: {mode: 0644}}" >>"$recipe"
done

# package FORMAT ARCHITECTURE
package() {
	ARCH=$2
	build/packager/nfpm package --config "$recipe" --packager "$1" --target "$out/"
}

# describe COMPILER BILL: what the binary is made of, and whether the notices are
# those of just that.
describe() {
	build/tools/bom --cc "$1" --version "$PACKAGE_VERSION" --sbom "$2" --notices "$STAGE/notices" "$BINARY"
	cmp "$STAGE/notices" THIRD_PARTY_NOTICES || {
		echo "build.sh: THIRD_PARTY_NOTICES is not that of $BINARY; run make notices" >&2
		exit 1
	}
	gzip -9nc "$2" >"$STAGE/boatd.cdx.json.gz"
}

# all BINARY COMPILER DEB IPK TARBALL: every format, each with its family's name
# for the processor. The tarball has the same files as the .ipk, to be laid over a
# root.
all() {
	BINARY=$1
	stem=$out/boatd_$PACKAGE_VERSION-1
	describe "$2" "${stem}_$5.cdx.json"
	package deb "$3"
	package ipk "$4"
	tar -xzOf "${stem}_$4.ipk" ./data.tar.gz >"${stem}_$5.tar.gz"
}

all build/boatd-armv7 arm-linux-gnueabihf-gcc armhf "$IPK_ARMV7" armv7
all build/boatd-arm64 aarch64-linux-gnu-gcc arm64 "$IPK_ARM64" arm64
rm -r "$STAGE"
cp THIRD_PARTY_NOTICES "$out/"
cd "$out"
sha256sum -- * >SHA256SUMS
