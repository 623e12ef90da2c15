package config

import (
	"strings"

	"github.com/boatd/boatd/chains"
)

// A kind is the type of a key's value.
type kind uint8

const (
	text kind = iota
	integer
	boolean
	list // of texts
	// wide is a whole number of any size: an integer, or a text of digits.
	wide
)

func (k kind) String() string {
	return [...]string{"text", "integer", "true/false", "list of texts", "integer or text"}[k]
}

// A row is everything that is known about one key.
type row struct {
	table   string // "" for the top, "log", "channel[]"
	name    string
	kind    kind
	def     any              // string, int64, bool or []string, as of kind
	check   func(any) *fault // of a value that has the right type; nil: all are good
	example string           // what a right value looks like, for hints
	in      []string         // the channel types that have the key; nil: all
	later   bool             // nothing but the default is in this build
	urls    bool             // may hold credentials: shown as scheme://host only
	field   func(any) any    // pointer to the field that takes the value; nil: none
	summary string           // for the manual: lower case, no full stop
}

// full returns the key as it is called in messages: "log.level", "channel.baud".
func (r row) full() string { return strings.ReplaceAll(tableKey(r.table, r.name), "[]", "") }

// to makes a row's field function of a typed one.
func to[T any](field func(*T) any) func(any) any {
	return func(target any) any { return field(target.(*T)) }
}

// A table is one section of the file.
type table struct {
	name    string // "log", "channel[]"
	summary string // what the manual says above its rows
}

var tables = []table{
	{"", "State and what it may lie on."},
	{"log", "What boatd says about itself. Keys, PINs and payloads are never logged."},
	{"at", "What AT commands may do. Everything that could cost a key is off."},
	{"channel[]", "One table a channel: a way by which hosts reach boatd. Settings that hosts make with AT+BOATCFG are kept by the channel's name."},
	{"net", "Rules for networks and URLs that come by AT commands, and for TLS."},
	{"network[]", "One table a network. What is left out has its default; a protocol may refuse options that it does not have. AT commands may make an option stricter where it says so, and set what `at_may_set` lists."},
	{"keystore", "Where private keys are made and what seals them."},
	{"journal", "Bounds of the journal in the state directory."},
	{"metrics", "What boatd tells those who look after it. No AT commands are taken there, and no secret is told."},
	{"policy", "Signed policies. Not in this build: the keys are known, only the defaults are accepted."},
	{"audit", "The audit log. Not in this build: only the default is accepted."},
	{"limit[]", "One table a cap on what a wallet may spend. It holds for the wallet's key: every wallet with the same key counts with it. Every limit that covers a wallet must hold. Amounts count native value plus the highest possible fee; a day is 24 hours of running time."},
}

var (
	serialOnly = []string{"serial"}
	unixOnly   = []string{"unix"}
	proxyOnly  = []string{"proxy"}
	qmiOnly    = []string{"qmi"}
)

// The types of channel: those of this build, and those that are only known.
var (
	channelTypes = []string{"serial", "pty", "unix"}
	laterTypes   = []string{"proxy", "qmi"}
)

// rows is the table: every key of the file, in the order of the manual. The
// options of networks are added from chains.OptionTable.
var rows = append([]row{
	{name: "state_dir", def: "/data/boatd", check: absolute, example: `"/data/boatd"`,
		field:   to(func(c *Config) any { return &c.StateDir }),
		summary: "directory of the journal and the seal; on flash that survives a reboot"},
	{name: "allow_volatile_state", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AllowVolatileState }),
		summary: "accept a state directory that a reboot empties (tmpfs, volatile overlays): for benches only"},

	{table: "log", name: "level", def: "info", check: oneOf("debug", "info", "warn", "error"),
		field:   to(func(c *Config) any { return &c.Log.Level }),
		summary: "least severe messages that are written: `debug`, `info`, `warn` or `error`"},
	{table: "log", name: "format", def: "console", check: oneOf("console", "json"),
		field:   to(func(c *Config) any { return &c.Log.Format }),
		summary: "`console` or `json`"},
	{table: "log", name: "target", def: "stderr", check: oneOf("stderr", "syslog"),
		field:   to(func(c *Config) any { return &c.Log.Target }),
		summary: "`stderr` or `syslog`"},

	{table: "at", name: "pin_required", kind: boolean, def: true,
		field:   to(func(c *Config) any { return &c.AT.PINRequired }),
		summary: "commands that use keys or settings need an unlocked channel; false only for benches"},
	{table: "at", name: "require_ref", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AT.RequireRef }),
		summary: "refuse transactions without a reference of the host's own"},
	{table: "at", name: "allow_key_import", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AT.AllowKeyImport }),
		summary: "allow AT+BOATKEYIMP"},
	{table: "at", name: "allow_key_export", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AT.AllowKeyExport }),
		summary: "allow AT+BOATKEYEXP, and keys made exportable"},
	{table: "at", name: "allow_digest_signing", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AT.AllowDigestSigning }),
		summary: "allow AT+BOATSIGN of bare digests"},
	{table: "at", name: "open_reset", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.AT.OpenReset }),
		summary: "AT+BOATRESET=2 needs no PIN"},
	{table: "at", name: "legacy", kind: boolean, def: false, later: true,
		summary: "the provisional AT^B* aliases"},

	{table: "channel[]", name: "name", def: "", check: nameCheck, example: `"uart"`,
		field:   to(func(c *Channel) any { return &c.Name }),
		summary: "1 to 16 of `A-Z a-z 0-9 . _ -`; required"},
	{table: "channel[]", name: "type", def: "", check: channelType, example: `"serial"`,
		field:   to(func(c *Channel) any { return &c.Type }),
		summary: "`serial`, `pty` or `unix`; required"},
	{table: "channel[]", name: "device", def: "", check: absolute, example: `"/dev/ttyHS0"`, in: []string{"serial", "proxy", "qmi"},
		field:   to(func(c *Channel) any { return &c.Device }),
		summary: "the tty; required"},
	{table: "channel[]", name: "baud", kind: integer, def: int64(115200), check: baudRate, example: "115200", in: []string{"serial", "proxy"},
		field:   to(func(c *Channel) any { return &c.Baud }),
		summary: "bits a second, 1200 to 4000000"},
	{table: "channel[]", name: "flow", def: "none", check: oneOf("none", "rtscts"), in: []string{"serial", "proxy"},
		field:   to(func(c *Channel) any { return &c.Flow }),
		summary: "flow control, `none` or `rtscts`; above 230400 baud `none` loses bytes"},
	{table: "channel[]", name: "cmux", kind: boolean, def: false, in: serialOnly, later: true,
		summary: "multiplexer of 3GPP TS 27.010"},
	{table: "channel[]", name: "link", def: "", check: absolute, example: `"/run/boatd/at"`, in: []string{"pty", "proxy"},
		field:   to(func(c *Channel) any { return &c.Link }),
		summary: "symbolic link to the terminal, made at start and removed at the end; required"},
	{table: "channel[]", name: "path", def: "", check: socketPath, example: `"/run/boatd/at.sock"`, in: unixOnly,
		field:   to(func(c *Channel) any { return &c.Path }),
		summary: "the socket, mode 0660, one AT session a connection; required"},
	{table: "channel[]", name: "modem", def: "", in: proxyOnly, later: true},
	{table: "channel[]", name: "counted", kind: list, def: []string{}, in: proxyOnly, later: true},
	{table: "channel[]", name: "transport", def: "", in: qmiOnly, later: true},
	{table: "channel[]", name: "part", kind: integer, def: int64(100), in: qmiOnly, later: true},
	{table: "channel[]", name: "urc_to", def: "", in: qmiOnly, later: true},
	{table: "channel[]", name: "unlock", def: "", in: qmiOnly, later: true},

	{table: "net", name: "allow_add", kind: boolean, def: false,
		field:   to(func(c *Config) any { return &c.Net.AllowAdd }),
		summary: "allow AT+BOATNETADD, and endpoints by AT+BOATNETSET"},
	{table: "net", name: "allowed_hosts", kind: list, def: []string{}, check: each(hostName), example: `["rpc.example.org"]`,
		field:   to(func(c *Config) any { return &c.Net.AllowedHosts }),
		summary: "host names that a URL given by AT may have, lower case, without a port"},
	{table: "net", name: "allowed_prefixes", kind: list, def: []string{}, check: each(prefix), example: `["10.20.0.0/16"]`,
		field:   to(func(c *Config) any { return &c.Net.AllowedPrefixes }),
		summary: "loopback, link-local, private, shared (CGNAT) and own addresses that networks added by AT may reach all the same; judged on the address dialled"},
	{table: "net", name: "key_exchange", def: "classic", check: oneOf("classic", "hybrid"),
		field:   to(func(c *Config) any { return &c.Net.KeyExchange }),
		summary: "TLS key exchange: `classic` (X25519) or `hybrid` (post-quantum, 2.3 KB more a handshake)"},

	{table: "network[]", name: "name", def: "", check: nameCheck, example: `"sepolia"`,
		field:   to(func(c *chains.Config) any { return &c.Name }),
		summary: "1 to 16 of `A-Z a-z 0-9 . _ -`, not the name of a wallet; required"},
	{table: "network[]", name: "protocol", def: "", example: `"ethereum"`,
		field:   to(func(c *chains.Config) any { return &c.Protocol }),
		summary: "`ethereum`; required"},

	{table: "keystore", name: "minimum", def: "soft", check: oneOf("soft", "tpm", "pkcs11", "tee"),
		field:   to(func(c *Config) any { return &c.Keystore.Minimum }),
		summary: "weakest kind of store that a key may be made in; this build has only `soft`"},
	{table: "keystore", name: "stores", kind: list, def: []string{"soft:"}, check: each(storeURI), example: `["soft:"]`,
		field:   to(func(c *Config) any { return &c.Keystore.Stores }),
		summary: "stores, each `soft:`, `tpm:<device>`, `pkcs11:<query>` or `tee:<device>`; this build has only `soft:`"},
	{table: "keystore", name: "seal", def: "auto", check: seal, example: `"auto"`,
		field:   to(func(c *Config) any { return &c.Keystore.Seal }),
		summary: "what protects the key of the soft store: `auto` (the best there is) or `device`"},
	{table: "keystore", name: "device_ids", kind: list, check: each(absolute), example: `["/proc/device-tree/serial-number"]`,
		def:     []string{"/proc/device-tree/serial-number", "/sys/devices/soc0/serial_number"},
		field:   to(func(c *Config) any { return &c.Keystore.DeviceIDs }),
		summary: "files whose contents bind the device seal to this board; absent ones count as empty"},

	{table: "journal", name: "keep_ended", kind: integer, def: int64(10000), check: between(8, 100000), example: "10000",
		field:   to(func(c *Config) any { return &c.Journal.KeepEnded }),
		summary: "ended transactions that can still be asked for, 8 to 100000"},
	{table: "journal", name: "queue_max", kind: integer, def: int64(64), check: between(1, 4096), example: "64",
		field:   to(func(c *Config) any { return &c.Journal.QueueMax }),
		summary: "open transactions a wallet, 1 to 4096; one more is refused with 7022"},

	{table: "metrics", name: "socket", def: "", check: socketPath, example: `"/run/boatd/metrics.sock"`,
		field:   to(func(c *Config) any { return &c.Metrics.Socket }),
		summary: "socket, mode 0660, that serves what `boatd status` shows, metrics for Prometheus and the newest lines of the log, all read-only, over HTTP; empty: none"},

	{table: "policy", name: "file", def: "", later: true, summary: "the policy's file"},
	{table: "policy", name: "owner_key", def: "", later: true, summary: "public key that policies are signed with"},
	{table: "audit", name: "max_kib", kind: integer, def: int64(256), later: true, summary: "size of the audit log"},

	{table: "limit[]", name: "wallet", def: "", check: nameCheck, example: `"w0"`,
		field:   to(func(l *Limit) any { return &l.Wallet }),
		summary: "the wallet; it need not exist yet; required"},
	{table: "limit[]", name: "per_transaction", def: "", check: coin, example: `"0.1ether"`,
		field:   to(func(l *Limit) any { return &l.PerTransaction }),
		summary: "highest amount of one transaction; empty: no cap"},
	{table: "limit[]", name: "per_day", def: "", check: coin, example: `"0.5ether"`,
		field:   to(func(l *Limit) any { return &l.PerDay }),
		summary: "highest amount in 24 hours; empty: no cap"},
	{table: "limit[]", name: "recipients", kind: list, def: []string{}, check: each(address), example: `["0x..."]`,
		field:   to(func(l *Limit) any { return &l.Recipients }),
		summary: "addresses that may be sent to or called; with any listed, an asset sent must be listed too and deployment is refused; empty: any"},
}, optionRows()...)

// optionRows makes a row of each network option. Values are kept in the options'
// canonical text (see chains.Options), so there is no field to fill.
func optionRows() []row {
	var out []row
	for _, o := range chains.OptionTable {
		r := row{table: "network[]", name: o.Name, summary: o.Summary + byAT(o), check: optionCheck(o)}
		switch o.Kind {
		case chains.Integer:
			r.kind, r.def = integer, defaultOf(integer, o.Default)
		case chains.Flag:
			r.kind, r.def = boolean, defaultOf(boolean, o.Default)
		case chains.List:
			r.kind, r.def = list, defaultOf(list, o.Default)
		default:
			r.kind, r.def = text, o.Default
		}
		if o.Kind == chains.Amount {
			r.example = `"200gwei"`
		}
		switch o.Name {
		case "chain_id": // larger than TOML's integers on some chains
			r.kind = wide
		case "endpoints":
			r.urls = true
			r.example = `["https://rpc.example.org"]`
		}
		out = append(out, r)
	}
	return out
}

func isOption(r row) bool {
	_, ok := chains.LookupOption(r.name)
	return ok && r.table == "network[]"
}

// byAT says in the manual how AT may change an option of a network of the file.
func byAT(o chains.Option) string {
	switch {
	case o.FileOnly:
		return " (never by AT)"
	case o.Tighten == chains.Lower, o.Tighten == chains.LowerN:
		return " (AT may lower it)"
	case o.Tighten == chains.Raise:
		return " (AT may raise it)"
	}
	return ""
}

// defaultOf turns a default of chains.OptionTable into a row's type.
func defaultOf(k kind, s string) any {
	v, _ := fromText(k, s) // the table is not input
	return v
}
