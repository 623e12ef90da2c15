#!/usr/bin/env bash
# build.sh FOLDER AGENT: what the module in a box boots, in FOLDER, from Debian's
# armhf packages: vmlinuz, initrd, and two root file systems.
#
#	debian.ext4   systemd, udev and dpkg
#	small.ext4    little but busybox: its init, its shell; the tools of UBI
#
# The packages are unpacked, not configured: nothing of theirs runs here, so no
# emulator is needed and no more rights than to make files of root's. dpkg's
# database says they are installed, which is what packages on top of them ask.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(realpath -m "$1")
agent=$(realpath "$2")
umask 022

# The packages of the larger root; what they depend on comes by itself.
packages=(adduser base-files base-passwd bash busybox-static ca-certificates coreutils dash debianutils diffutils
	dpkg findutils grep gzip hostname init-system-helpers kmod libc-bin login mawk mtd-utils ncurses-base perl-base sed
	systemd-sysv sysvinit-utils udev usr-is-merged util-linux)

# What the kernel needs before there is a root, and what tests load later.
early=(virtio_pci virtio_blk virtio_net ext4)
late=(nandsim ubi lzo deflate zstd ubifs)

mkdir -p "$out"
rm -rf "$out/tmp"
mkdir -p "$out/tmp"
work=$out/tmp

# apt keeps to a folder of its own, for another architecture than the machine's.
apt=$out/apt
mkdir -p "$apt/lists/partial" "$apt/archives/partial"
: >"$apt/status"
cat >"$work/apt.conf" <<CONF
APT::Architecture "armhf";
APT::Architectures { "armhf"; };
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Dir::State "$apt";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Acquire::Retries "3";
CONF
export APT_CONFIG=$work/apt.conf
# An index that cannot be had need not matter: what follows tells.
# Packages of which there are newer ones now must not stay beside them.
(apt-get -q update && apt-get -q autoclean) || true
apt-get -q -y --download-only install "${packages[@]}"
kernel=$(apt-cache depends linux-image-armmp | sed -n 's/ *Depends: \(linux-image-.*-armmp\)/\1/p')
(cd "$apt/archives" && apt-get -q download "$kernel")

# The kernel, and of its modules those that are wanted.
dpkg-deb -x "$apt/archives/$kernel"_*.deb "$work/kernel"
release=$(basename "$work"/kernel/lib/modules/*)
cp "$work/kernel/boot/vmlinuz-$release" "$out/vmlinuz"
depmod -b "$work/kernel" "$release"
modules() { # in the order in which they are to be loaded, once each
	local m
	for m in "$@"; do
		modprobe -d "$work/kernel" -S "$release" --show-depends "$m"
	done | awk '$1 == "insmod" && $2 !~ /-ce\.ko$/ && !seen[$2]++ { print $2 }' # the processor has no crypto extensions
}

# The first root: loads the modules, mounts what comes next.
initrd=$work/initrd
mkdir -p "$initrd"/{bin,proc,sys,dev,modules,root}
dpkg-deb -x "$apt"/archives/busybox-static_*.deb "$work/busybox"
busybox=$work/busybox/bin/busybox
cp "$busybox" "$initrd/bin/busybox"
i=100
for m in $(modules "${early[@]}"); do
	cp "$m" "$initrd/modules/$((i++))-$(basename "$m")"
done
install -m 755 "$here/init" "$initrd/init"
(cd "$initrd" && find . | LC_ALL=C sort | cpio -o -H newc --quiet -R 0:0) | gzip -9n >"$out/initrd"

# What both roots have.
common() {
	local root=$1 m
	mkdir -p "$root"/{data,dev,etc,proc,run,sys,tmp,usr/lib/box/modules}
	chmod 1777 "$root/tmp"
	install -m 755 "$agent" "$root/usr/lib/box/agent"
	install -m 755 "$here/network" "$here/unpack" "$root/usr/lib/box/"
	for m in $(modules "${late[@]}"); do
		cp "$m" "$root/usr/lib/box/modules/"
	done
	modules "${late[@]}" | xargs -n 1 basename >"$root/usr/lib/box/modules/order"
	echo box >"$root/etc/hostname"
	echo '127.0.0.1 localhost box' >"$root/etc/hosts"
}

# Debian's root.
root=$work/debian
mkdir -p "$root"/usr/{bin,sbin,lib} "$root/var/lib/dpkg/info"
for d in bin sbin lib; do ln -s "usr/$d" "$root/$d"; done
for deb in "$apt"/archives/*.deb; do
	case $deb in */linux-image-*) continue ;; esac
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$root" --keep-directory-symlink \
		--exclude './usr/share/doc/*' --exclude './usr/share/man/*' --exclude './usr/share/locale/*' -xf -
	name=$(dpkg-deb -f "$deb" Package)
	{
		dpkg-deb -f "$deb" Package
		echo 'Status: install ok installed'
		dpkg-deb -f "$deb" | grep -v '^Package:'
		echo
	} | sed "1s/.*/Package: $name/" >>"$root/var/lib/dpkg/status"
	if [ "$(dpkg-deb -f "$deb" Multi-Arch)" = same ]; then name=$name:armhf; fi
	dpkg-deb --fsys-tarfile "$deb" | tar -tf - | sed -e 's|^\./|/|' -e 's|/$||' -e 's|^$|/.|' >"$root/var/lib/dpkg/info/$name.list"
done
common "$root"
cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
chroot_link() { ln -sfn "$1" "$root$2"; }
chroot_link mawk /usr/bin/awk
chroot_link /usr/lib/systemd/systemd /sbin/init
chroot_link /proc/self/mounts /etc/mtab
printf '%032x\n' 1 >"$root/etc/machine-id"
cp "$here/agent.service" "$root/etc/systemd/system/agent.service"
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
chroot_link /etc/systemd/system/agent.service /etc/systemd/system/multi-user.target.wants/agent.service
chroot_link /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
# Nobody logs in, and nothing here looks at the hardware's database.
for unit in getty.target systemd-hwdb-update.service systemd-pstore.service systemd-update-utmp.service systemd-update-utmp-runlevel.service; do
	chroot_link /dev/null "/etc/systemd/system/$unit"
done
rm -f "$root/lib/udev/hwdb.d/"*
# Of the rules those that concern what a module has: an emulated processor takes
# half a minute for all of them.
find "$root/lib/udev/rules.d" -type f ! -name 50-udev-default.rules ! -name 60-serial.rules ! -name 99-systemd.rules -delete

# The small root.
root=$work/small
mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,lib,etc/init.d,root,var/lib,var/log,home}
common "$root"
cp "$busybox" "$root/bin/busybox"
# What that busybox cannot do: UBI. With the C library that its tools need.
for f in $(cd "$work/debian" && ls usr/sbin/ubi{attach,detach,mkvol} usr/lib/ld-linux-armhf.so.3 usr/lib/arm-linux-gnueabihf/libc.so.6); do
	mkdir -p "$root/$(dirname "${f#usr/}")"
	cp -L "$work/debian/$f" "$root/${f#usr/}"
done
ln -s busybox "$root/bin/sh"
ln -s ../bin/busybox "$root/sbin/init"
cp "$here/inittab" "$root/etc/inittab"
install -m 755 "$here/rcS" "$here/rcK" "$root/etc/init.d/"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
printf 'root:x:0:\ndialout:x:20:\n' >"$root/etc/group"
mkdir -p "$root/etc/ssl/certs"

for name in debian small; do
	size=$(du -sm "$work/$name" | cut -f1)
	rm -f "$out/$name.ext4"
	truncate -s $((size + size / 4 + 48))M "$out/$name.ext4"
	mkfs.ext4 -q -F -L root -E root_owner=0:0 -d "$work/$name" "$out/$name.ext4"
done
rm -rf "$work"
