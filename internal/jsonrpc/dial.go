package jsonrpc

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
)

// Traffic counts bytes on the wire, TLS included, without the headers of TCP
// and IP.
type Traffic struct{ Sent, Received atomic.Uint64 }

// DialOptions say how connections are made.
type DialOptions struct {
	TLS *tls.Config // for https; required there
	// Dial opens a TCP connection; nil for the system's.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Allow judges every address before anything is sent to it, after names
	// were resolved; nil allows all. A Dial of the caller's is judged by where
	// it got to.
	Allow   func(netip.Addr) error
	Traffic *Traffic
	// Count is told of all bytes of Traffic as they come and go; nil for nobody.
	Count func(bytes int)
}

// Connector returns what [Options.Connect] wants for the server of u: one
// HTTP/1.1 or HTTP/2 connection at each call.
func Connector(u *url.URL, o DialOptions) func(context.Context) (Conn, error) {
	t := &http.Transport{
		DialContext:            o.dial,
		TLSClientConfig:        o.TLS,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: 16 << 10,
	}
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	}
	return func(ctx context.Context) (Conn, error) {
		conn, err := t.NewClientConn(ctx, u.Scheme, address)
		if err != nil {
			return nil, err
		}
		return conn, nil
	}
}

func (o DialOptions) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := o.Dial
	if dial == nil {
		// TCP keep-alives would wake the radio; idle connections are closed instead.
		d := &net.Dialer{KeepAlive: -1}
		if o.Allow != nil {
			d.ControlContext = o.control
		}
		dial = d.DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if o.Allow != nil && o.Dial != nil {
		if err := o.judge(conn.RemoteAddr().String()); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return &countedConn{conn, o.Traffic, o.Count}, nil
}

// control is called with the address of every attempt, before the first packet.
func (o DialOptions) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	return o.judge(address)
}

func (o DialOptions) judge(address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %q", ErrAddress, address)
	}
	return o.Allow(at.Addr())
}

type countedConn struct {
	net.Conn
	traffic *Traffic
	count   func(int)
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.add(&c.traffic.Received, n)
	return n, err
}

func (c *countedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.add(&c.traffic.Sent, n)
	return n, err
}

func (c *countedConn) add(to *atomic.Uint64, n int) {
	to.Add(uint64(n))
	if c.count != nil {
		c.count(n)
	}
}

// inward are the networks besides those that netip has names for which lead
// to the inside of an operator's or owner's network, or nowhere.
var inward = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),      // this network, RFC 791
	netip.MustParsePrefix("100.64.0.0/10"),  // carrier-grade NAT, RFC 6598
	netip.MustParsePrefix("192.0.0.0/24"),   // IETF protocol assignments, RFC 6890
	netip.MustParsePrefix("198.18.0.0/15"),  // benchmarking, RFC 2544
	netip.MustParsePrefix("240.0.0.0/4"),    // reserved and broadcast, RFC 1112
	netip.MustParsePrefix("fec0::/10"),      // site-local, RFC 3879
	netip.MustParsePrefix("64:ff9b:1::/48"), // local-use translation, RFC 8215
	netip.MustParsePrefix("::/96"),          // IPv4-compatible, RFC 4291
	netip.MustParsePrefix("2001::/32"),      // Teredo, RFC 4380
}

// Outward returns a judge for [DialOptions.Allow] that refuses loopback,
// link-local, private, carrier-grade NAT, multicast, unspecified and own
// addresses, however they are written, except those inside allowed.
func Outward(allowed []netip.Prefix) func(netip.Addr) error {
	return func(addr netip.Addr) error {
		plain := embedded(addr.Unmap().WithZone(""))
		for _, p := range allowed {
			if p.Contains(plain) {
				return nil
			}
		}
		if isInward(plain) || isOwn(plain) {
			return fmt.Errorf("%w: %s", ErrAddress, addr)
		}
		return nil
	}
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96") // RFC 6052
	sixto4 = netip.MustParsePrefix("2002::/16")    // RFC 3056
)

// embedded returns the IPv4 address to which a translator takes addr, or addr.
func embedded(addr netip.Addr) netip.Addr {
	b := addr.As16()
	switch {
	case nat64.Contains(addr):
		return netip.AddrFrom4([4]byte(b[12:16]))
	case sixto4.Contains(addr):
		return netip.AddrFrom4([4]byte(b[2:6]))
	}
	return addr
}

func isInward(addr netip.Addr) bool {
	if addr.IsLoopback() || addr.IsPrivate() || addr.IsUnspecified() || addr.IsMulticast() ||
		addr.IsLinkLocalUnicast() || addr.IsInterfaceLocalMulticast() {
		return true
	}
	for _, p := range inward {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// isOwn says whether addr is on one of this machine's interfaces. When the
// interfaces cannot be read the answer is yes: an address is refused rather
// than trusted.
func isOwn(addr netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	if err != nil {
		return true
	}
	for _, a := range own {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap().WithZone("") == addr {
			return true
		}
	}
	return false
}
