// Package port opens the ways to a host: a serial line, a pseudo terminal, a
// Unix socket. Each is an [Opener]; [Run] serves what it opens, one clean
// session after the other.
//
// Nothing here wakes up while nothing happens: a host that is away is waited
// for in the kernel. And nothing here waits for a host that does not read:
// closing a port frees its writer, and what the host did not take is dropped.
package port
