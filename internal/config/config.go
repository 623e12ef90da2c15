package config

import (
	"math/big"
	"net/netip"

	"github.com/boatd/boatd/chains"
)

// A Config is a whole and checked configuration.
type Config struct {
	StateDir           string // absolute
	AllowVolatileState bool

	Log      Log
	AT       AT
	Channels []Channel
	Net      Net
	// Networks are as package chains wants them; Options holds only what was
	// written, in canonical text, and every option has passed its protocol's check.
	Networks []chains.Config
	Keystore Keystore
	Journal  Journal
	Metrics  Metrics
	Limits   []Limit

	settings []setting // every key's value and origin, for Effective
}

// Log says what is logged, how and where to.
type Log struct {
	Level  string // "debug", "info", "warn" or "error"
	Format string // "console" or "json"
	Target string // "stderr" or "syslog"
}

// AT holds what AT commands may do.
type AT struct {
	PINRequired        bool
	RequireRef         bool
	AllowKeyImport     bool
	AllowKeyExport     bool
	AllowDigestSigning bool
	OpenReset          bool
}

// A Channel is one way by which hosts reach boatd.
type Channel struct {
	Name string // unique, 1 to 16 bytes
	Type string // "serial", "pty" or "unix"

	Device string // serial: the tty
	Baud   int    // serial: bits a second
	Flow   string // serial: "none" or "rtscts"

	Link string // pty: a symbolic link to the terminal
	Path string // unix: the socket
}

// Net holds the rules for networks and URLs that come by AT.
type Net struct {
	AllowAdd        bool
	AllowedHosts    []string // lower case, without a port
	AllowedPrefixes []netip.Prefix
	KeyExchange     string // "classic" or "hybrid", for every TLS connection
}

// Keystore says which stores and which seal are used.
type Keystore struct {
	Minimum   string   // the weakest kind of store that keys may be made in
	Stores    []string // URIs, as far as they are in this build
	Seal      string   // "auto" or "device"
	DeviceIDs []string // files, absolute
}

// Journal bounds what the journal keeps.
type Journal struct {
	KeepEnded int // ended transactions that stay readable
	QueueMax  int // open transactions a wallet
}

// Metrics says where metrics are served.
type Metrics struct {
	Socket string // absolute; "" for nowhere
}

// A Limit caps what one wallet may spend. Every limit that names a wallet holds.
type Limit struct {
	Wallet         string
	PerTransaction *big.Int // native coin, smallest unit; nil: no cap
	PerDay         *big.Int // the same, in 24 hours of running time
	// Recipients are addresses as they were written: only the wallet's network
	// can read them. None: any recipient.
	Recipients []string
}
