package config

import (
	"os"
	"strings"
	"testing"
)

// TestProblems: what a file, environment and flags say, and every problem that
// must be found in them, in order. %c stands for a sound channel.
func TestProblems(t *testing.T) {
	tests := []struct {
		name  string
		text  string
		env   []string
		flags map[string]string
		want  string // one problem a line
	}{
		{name: "all at once", text: `state_dir = "data"
[log]
levle = "info"
format = 3
[at]
pin_required = "yes"
%c[journal]
queue_max = 0
`, env: []string{"BOATD_LOG_LEVEL=loud", "BOATD_JOURNAL_KEEP_ENDED=many"}, flags: map[string]string{"metrics.socket": "run"}, want: `
boatd.toml:1: state_dir: "data" is not an absolute path; write the whole path, from /
boatd.toml:3: log.levle: there is no such key; did you mean "level"?
boatd.toml:4: log.format: want text, found an integer; write it in quotes
boatd.toml:6: at.pin_required: want true/false, found text; write true or false, without quotes
boatd.toml:12: journal.queue_max: 0 is out of range; use 1 to 4096
BOATD_JOURNAL_KEEP_ENDED: journal.keep_ended: "many" is not an integer
BOATD_LOG_LEVEL: log.level: "loud" is not known here; use "debug", "info", "warn" or "error"
--metrics.socket: metrics.socket: "run" is not an absolute path; write the whole path, from /`},

		{name: "the manual's examples", text: "%c\n\n\n\n\n\n[log]\nlevle = 1\n", env: []string{"BOATD_JOURNAL_QUEUE_MAX=0"}, want: `
boatd.toml:12: log.levle: there is no such key; did you mean "level"?
BOATD_JOURNAL_QUEUE_MAX: journal.queue_max: 0 is out of range; use 1 to 4096`},

		{name: "unknown tables and keys", text: `level = "info"
"a.b" = 1
[lgo]
x = 1
[lgo.y]
[netwrok]
[log.level]
[policy.z]
[State]
%c`, want: `
boatd.toml:1: level: there is no such key; it belongs to [log]
boatd.toml:2: "a.b": there is no such key
boatd.toml:3: lgo: there is no such table; did you mean "log"?
boatd.toml:6: netwrok: there is no such table; did you mean "network"?
boatd.toml:7: log.level: this is a value, not a table
boatd.toml:8: policy.z: there is no such key
boatd.toml:9: State: there is no such table`},

		{name: "wrong case", text: "%c[Log]\nlevel = \"info\"\n[at]\nPIN_required = true\n", want: `
boatd.toml:5: Log: there is no such table; did you mean "log"?
boatd.toml:8: at.PIN_required: there is no such key`},

		{name: "tables where values belong", text: `state_dir = {a = 1}
log = 5
[[at]]
legacy = true
[channel]
name = "x"
[[net]]
[keystore]
stores = [{a = 1}]
[journal.queue_max]
`, want: `
boatd.toml: channel: warning: there is none: no host can reach boatd; add a [[channel]]
boatd.toml:1: state_dir: this is a value, not a table
boatd.toml:2: log: this is a table, not a value; write [log] above its keys
boatd.toml:3: at: there is one such table only; write [at]
boatd.toml:5: channel: there can be several such tables; write [[channel]]
boatd.toml:7: net: there is one such table only; write [net]
boatd.toml:9: keystore.stores: this is a value, not a table
boatd.toml:10: journal.queue_max: this is a value, not a table`},

		{name: "elements that are no tables", text: "channel = [{name = \"a\", type = \"unix\", path = \"/a\"}, 5]\nnetwork = []\n", want: `
boatd.toml:1: channel: this is a table, not a value; write [[channel]] above its keys
boatd.toml:2: network: there can be several such tables; write [[network]]`},

		{name: "types", text: `%c[log]
level = 1.5
[at]
legacy = 2026-01-01
[journal]
queue_max = "5"
[net]
allowed_hosts = "a"
allowed_prefixes = ["10.0.0.0/8", 5]
[audit]
max_kib = true
[keystore]
seal = ["auto"]
minimum = "a\u0000"
`, want: `
boatd.toml:6: log.level: want text, found a number with a point; write it in quotes
boatd.toml:8: at.legacy: want true/false, found a date or time; write true or false, without quotes
boatd.toml:10: journal.queue_max: want an integer, found text; write it like 64
boatd.toml:12: net.allowed_hosts: want a list of texts, found text; write it like ["rpc.example.org"]
boatd.toml:13: net.allowed_prefixes: want a list of texts, found an integer in it; write it like ["10.20.0.0/16"]
boatd.toml:15: audit.max_kib: want an integer, found true/false; write digits without quotes
boatd.toml:17: keystore.seal: want text, found a list; write it like "auto"
boatd.toml:18: keystore.minimum: "a\x00" has control characters in it or is not UTF-8`},

		{name: "syntax", text: "%c[log]\nlevel = debug\n", env: []string{"BOATD_LOG_FORMAT=xml"}, want: `
boatd.toml:6: incomplete number
BOATD_LOG_FORMAT: log.format: "xml" is not known here; use "console" or "json"`},
		{name: "twice", text: "%c[log]\nlevel = \"info\"\nlevel = \"info\"\n", want: `
boatd.toml:7: log.level: stands here a second time; remove one`},
		{name: "table twice", text: "[log]\nlevel = \"info\"\n[at]\n[log]\n", want: `
boatd.toml:4: log: stands here a second time; remove one`},

		{name: "channels", text: `[[channel]]
name = "a"
type = "serial"
device = "/dev/ttyS0"
baud = 921600
[[channel]]
name = "a"
type = "unix"
path = "/run/x"
baud = 9600
[[channel]]
name = "bRINGx"
type = "pty"
link = "run"
[[channel]]
name = "a name"
type = "tcp"
[[channel]]
type = "serial"
[[channel]]
name = "b"
[[channel]]
name = "c"
type = "serial"
device = "/dev/ttyS0"
baud = 115000
flow = "xonxoff"
cmux = true
[metrics]
socket = "/run/x"
`, want: `
boatd.toml:5: channel.flow: warning: without flow control bytes are lost at 921600 baud; use "rtscts" if the line has the wires
boatd.toml:7: channel.name: "a" is used already, at boatd.toml:2
boatd.toml:10: channel.baud: a channel of type "unix" has no such key; remove it
boatd.toml:12: channel.name: "bRINGx" is not a name that hosts can use; use 1 to 16 of A-Z a-z 0-9 . _ - with no result code (OK, ERROR, BUSY, RING, CONNECT) inside
boatd.toml:14: channel.link: "run" is not an absolute path; write the whole path, from /
boatd.toml:16: channel.name: "a name" is not a name that hosts can use; use 1 to 16 of A-Z a-z 0-9 . _ - with no result code (OK, ERROR, BUSY, RING, CONNECT) inside
boatd.toml:17: channel.type: "tcp" is not known here; use "serial", "pty" or "unix"
boatd.toml:18: channel.name: this key is missing
boatd.toml:18: channel.device: this key is missing
boatd.toml:20: channel.type: this key is missing
boatd.toml:25: channel.device: "/dev/ttyS0" is used already, at boatd.toml:4
boatd.toml:26: channel.baud: 115000 is not a speed that serial lines have; the nearest is 115200
boatd.toml:27: channel.flow: "xonxoff" is not known here; use "none" or "rtscts"
boatd.toml:28: channel.cmux: this is not in this build; leave it out
boatd.toml:30: metrics.socket: this is the AT socket of boatd.toml:9; use a path of its own`},

		{name: "channels of later work", text: `[[channel]]
name = "modem"
type = "proxy"
device = "/dev/ttyHS0"
modem = "/dev/smd8"
baud = 921600
flow = "rtscts"
counted = ["+QFUPL:2"]
[[channel]]
name = "q"
type = "qmi"
transport = "qrtr"
part = 200
[[channel]]
name = "s"
type = "pty"
link = "/run/s"
modem = "/dev/smd8"
[policy]
file = "/etc/policy"
[audit]
max_kib = 257
`, want: `
boatd.toml:3: channel.type: channels of type "proxy" are not in this build; use "serial", "pty" or "unix"
boatd.toml:11: channel.type: channels of type "qmi" are not in this build; use "serial", "pty" or "unix"
boatd.toml:18: channel.modem: a channel of type "pty" has no such key; remove it
boatd.toml:20: policy.file: this is not in this build; leave it out
boatd.toml:22: audit.max_kib: this is not in this build; leave it out`},

		{name: "long socket path", text: "[[channel]]\nname = \"a\"\ntype = \"unix\"\npath = \"/" + strings.Repeat("a", 107) + "\"\n[metrics]\nsocket = \"/" + strings.Repeat("b", 107) + "\"\n", want: `
boatd.toml:4: channel.path: 108 bytes are too long for a socket's path, which has at most 107; use a shorter path
boatd.toml:6: metrics.socket: 108 bytes are too long for a socket's path, which has at most 107; use a shorter path`},

		{name: "networks", text: `%c[[network]]
name = "a"
protocol = "fabric"
[[network]]
name = "a"
protocol = "ethereum"
chain_id = -1
max_gas = "5"
max_fee_per_gas = "1.5"
max_tip = 5
agree = -1
insecure_http = 1
at_may_set = ["max_gas", "max_gaz", "insecure_http"]
ca_file = "ca.pem"
client_key = "/key"
msp = "Org1"
[[network]]
endpoints = ["https://a,b", ""]
chain_id = "0x10"
confirmations = 9007199254740993
at_may_set = ["ca_file"]
[[network]]
protocol = "ethereum"
name = "b"
endpoints = ["https://a", "https://a"]
`, want: `
boatd.toml:7: network.protocol: protocol "fabric" is not in this build (it has [ethereum])
boatd.toml:8: network.client_cert: client_cert and client_key belong together; give both or neither
boatd.toml:8: network.endpoints: there is none; name a node
boatd.toml:9: network.name: "a" is used already, at boatd.toml:6
boatd.toml:11: network.chain_id: "-1" is not a decimal number; write it like 11155111
boatd.toml:12: network.max_gas: want an integer, found text; write digits without quotes
boatd.toml:13: network.max_fee_per_gas: bad amount "1.5": a fraction needs a unit
boatd.toml:14: network.max_tip: want text, found an integer; write it like "200gwei"
boatd.toml:15: network.agree: "-1" is not a whole number
boatd.toml:16: network.insecure_http: want true/false, found an integer; write true or false, without quotes
boatd.toml:17: network.at_may_set: "max_gaz" is not a network option; did you mean "max_gas"?
boatd.toml:18: network.ca_file: "ca.pem" is not an absolute path; write the whole path, from /
boatd.toml:20: network.msp: there is no such key
boatd.toml:21: network.name: this key is missing
boatd.toml:21: network.protocol: this key is missing
boatd.toml:22: network.endpoints: an element is empty or has a comma in it
boatd.toml:23: network.chain_id: "0x10" is not a decimal number; write it like 11155111
boatd.toml:24: network.confirmations: "9007199254740993" is not a whole number
boatd.toml:25: network.at_may_set: "ca_file" is set by this file only, never by AT; leave it out
boatd.toml:29: network.endpoints: "https://a" is listed twice; name it once`},

		{name: "limits", text: `%c[[network]]
name = "n"
protocol = "ethereum"
endpoints = ["https://a"]
[[limit]]
wallet = "n"
per_day = "1ether"
[[limit]]
wallet = "w"
[[limit]]
per_day = "1 ether"
[[limit]]
wallet = "w"
per_transaction = "-1"
recipients = ["0x1", "0x 2"]
[[limit]]
wallet = "BUSY"
recipients = ["a", "a"]
`, want: `
boatd.toml:10: limit.wallet: "n" is a network, and wallets and networks share their names
boatd.toml:12: limit: this limits nothing; set per_transaction, per_day or recipients
boatd.toml:14: limit.wallet: this key is missing
boatd.toml:15: limit.per_day: bad amount "1 ether": want decimal digits and perhaps a unit; write it like "0.1ether", "200gwei" or "1000" (smallest units)
boatd.toml:18: limit.per_transaction: bad amount "-1": want decimal digits and perhaps a unit; write it like "0.1ether", "200gwei" or "1000" (smallest units)
boatd.toml:19: limit.recipients: "0x 2" is not an address; write one address an element
boatd.toml:21: limit.wallet: "BUSY" is not a name that hosts can use; use 1 to 16 of A-Z a-z 0-9 . _ - with no result code (OK, ERROR, BUSY, RING, CONNECT) inside
boatd.toml:22: limit.recipients: "a" is listed twice; name it once`},

		{name: "stores left out", text: "%c[keystore]\nstores = [\"soft:\", \"tpm:/dev/tpmrm0\"]\n", want: `
boatd.toml:6: keystore.stores: warning: the store "tpm:/dev/tpmrm0" is not in this build and is left out`},
		{name: "stronger stores", text: "%c[keystore]\nminimum = \"tpm\"\nstores = [\"soft:\", \"tpm:/dev/tpmrm0\"]\nseal = \"tee\"\n", want: `
boatd.toml:6: keystore.minimum: no store of this build is as strong as "tpm"; only "soft" can be met
boatd.toml:8: keystore.seal: the seal "tee" is not in this build; use "auto" or "device"`},
		{name: "no store", text: "%c[keystore]\nstores = [\"tee:/dev/tee0\"]\n", env: []string{"BOATD_KEYSTORE_SEAL=disk"}, want: `
boatd.toml:6: keystore.stores: warning: the store "tee:/dev/tee0" is not in this build and is left out
boatd.toml:6: keystore.stores: no store of this build is listed; add "soft:"
BOATD_KEYSTORE_SEAL: keystore.seal: "disk" is not known here; use "auto" or "device"`},
		{name: "bad stores", text: "%c[keystore]\nstores = [\"sfot:\"]\ndevice_ids = [\"/a/../b\", \"c\"]\n", flags: map[string]string{"keystore.stores": "soft:x"}, want: `
boatd.toml:7: keystore.device_ids: "/a/../b" is a roundabout path; write "/b"
--keystore.stores: keystore.stores: the soft store takes nothing behind its colon, not "x"; write "soft:"`},
		{name: "store typo", text: "%c[keystore]\nstores = [\"sfot:\"]\n", want: `
boatd.toml:6: keystore.stores: "sfot:" is not a store; did you mean "soft:"?`},

		{name: "net", text: `%c[net]
allowed_hosts = ["https://a"]
allowed_prefixes = ["10.0.0.1/8"]
key_exchange = "none"
`, want: `
boatd.toml:6: net.allowed_hosts: "https://a" is not a host name; write the name alone, without scheme, port or path
boatd.toml:7: net.allowed_prefixes: "10.0.0.1/8" has bits behind its length; write "10.0.0.0/8"
boatd.toml:8: net.key_exchange: "none" is not known here; use "classic" or "hybrid"`},

		{name: "environment and flags", text: "%c",
			env:   []string{"BOATD_LOG_LEVLE=x", "BOATD_CHANNEL_NAME=x", "BOATD_AT_LEGACY=1", "BOATD_AT_OPEN_RESET", "boatd_log_level=x"},
			flags: map[string]string{"loglevel": "x", "state_dir": "/"}, want: `
BOATD_LOG_LEVLE: no key has this variable; did you mean "BOATD_LOG_LEVEL"?
BOATD_CHANNEL_NAME: no key has this variable
BOATD_AT_LEGACY: at.legacy: "1" is neither true nor false; use "true" or "false"
BOATD_AT_OPEN_RESET: at.open_reset: "" is neither true nor false; use "true" or "false"
--loglevel: no key has this flag
--state_dir: state_dir: "/" itself cannot be used`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, ps := load(t, strings.ReplaceAll(tt.text, "%c", channel), tt.env, tt.flags)
			if got, want := strings.TrimSpace(ps.String()), strings.TrimSpace(tt.want); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if ps.Failed() != (c == nil) {
				t.Errorf("failed %v, but the configuration is %v", ps.Failed(), c)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	ps := Problems{
		{Where: "--x", layer: fromFlag}, {Where: "E", layer: fromEnv},
		{Where: "f:10", line: 10}, {Where: "f:9", line: 9}, {Where: "f"},
	}
	ps.sort()
	var got []string
	for _, p := range ps {
		got = append(got, p.Where)
	}
	if s := strings.Join(got, " "); s != "f f:9 f:10 E --x" {
		t.Error(s)
	}
}

func TestUnreadableFile(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("big", make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"absent": "absent: cannot be read: no such file or directory",
		".":      ".: cannot be read: is a directory",
		"big":    "big: is larger than 65536 bytes",
	} {
		c, ps := Load(path, nil, nil, protocols())
		if c != nil || len(ps) != 1 || ps[0].String() != want {
			t.Errorf("%s: %s", path, ps)
		}
	}
}
