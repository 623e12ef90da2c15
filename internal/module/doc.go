// Package module puts boatd where it lives: on an emulated module (QEMU's
// Cortex-A7) with Debian's kernel, a root file system on a disk image into which
// boatd's own package was installed, a UART on a socket, and a data partition
// whose power can be cut.
//
//	image/    what it boots: build.sh makes it from Debian's armhf packages
//	agent/    runs in the box and does there what a test asks for
//	wire/     what the two say to each other
//	cut/      the log of a disk's writes, and what a power cut leaves of them
//
// # Two roots
//
// debian.ext4 is a Debian with systemd and dpkg, for the .deb. small.ext4 is a
// busybox and nothing else, for the .ipk, as the smallest firmware images are.
// Both are read-only in use; /data is a partition of its own.
//
// # The power
//
// [Box.Kill] ends the emulator with SIGKILL. That alone loses nothing that the
// guest has written, since the machine's own kernel still has it. So every write
// and every flush of the data disk goes through QEMU's blklogwrites into a log
// (the format of Linux' dm-log-writes), and the disk that the next boot gets is
// made from the log: all that a flush had completed, and of what came after it
// any part, in any order, torn at sectors (package cut). The guest's flush
// requests are the only thing that makes a write durable, as on a real disk. The
// flush does nothing on the machine itself (cache.no-flush), so that no write
// slips into the log between its beginning and its end.
package module
