// Package ops is what boatd tells those who look after it: a report for people
// and scripts, metrics for a collector, and the newest lines of its log, all
// read-only over one socket of its own (metrics.socket), as HTTP.
//
// Nothing here is a secret or names what a host calls its orders: wallets,
// networks, keys and channels have the names of the configuration, transactions
// their ids, and URLs only their hosts. Everything is read when it is asked for;
// nothing is gathered in between.
package ops

// Schema is the version of the report. It rises when a field goes or changes its
// meaning; new fields may come at any time.
const Schema = 1

// A Report is what the daemon says of itself. Times are seconds, sizes bytes.
type Report struct {
	Schema int `json:"schema"`
	// Source is "daemon", or "at" where only AT commands could be asked: then
	// networks, wallets, keys and readiness are there and the rest is empty.
	Source  string          `json:"source"`
	Version string          `json:"version"`
	Build   string          `json:"build"` // date
	Starts  uint64          `json:"starts"`
	Uptime  int64           `json:"uptime_seconds"`
	Ready   map[string]bool `json:"ready"` // by the names of [ReadyParts]

	Channels []Channel `json:"channels"`
	Networks []Network `json:"networks"`
	Wallets  []Wallet  `json:"wallets"`
	// Open counts the transactions that have not ended, by state, and Ended those
	// that have and are remembered.
	Open   map[string]int `json:"transactions_open"`
	Ended  map[string]int `json:"transactions_ended"`
	Oldest *Transaction   `json:"oldest_open"` // null without one

	Keys       map[string]int `json:"keys"` // number by state
	Stores     []string       `json:"stores"`
	Protection string         `json:"protection"` // of the weakest store that holds an active key of a wallet
	Seal       string         `json:"seal"`
	PIN        PIN            `json:"pin"`

	Journal Journal `json:"journal"`
	Flash   Flash   `json:"flash"`
	Memory  Memory  `json:"memory"`
	Events  Events  `json:"events"`
	Alarms  []Alarm `json:"alarms"` // not acknowledged, oldest first
	Log     Log     `json:"log"`
}

// ReadyParts are the bits of AT+BOATREADY, lowest first.
var ReadyParts = []string{"journal", "keys", "clock", "bearer", "network"}

// A Channel is one way to hosts, since the start.
type Channel struct {
	Name     string `json:"name"`
	Sessions int    `json:"sessions"` // open now
	Lines    uint64 `json:"lines"`    // that were answered
	Failures uint64 `json:"failures"` // of these, not with OK
}

// A Network is one network, from memory.
type Network struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	State    string `json:"state"` // "up", "down" or "not contacted"
	Why      string `json:"why"`   // it is down, in words; empty: it is not
	Height   uint64 `json:"height"`
	Answered int64  `json:"seconds_since_answer"` // -1: it has not answered since the start
	Sent     uint64 `json:"bytes_sent"`
	Received uint64 `json:"bytes_received"`
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"requests_failed"`
	Used     uint64 `json:"budget_used_bytes"` // of today's
	Budget   uint64 `json:"budget_bytes"`      // a day; 0: none is set
	Open     int    `json:"open_transactions"`
}

// A Wallet is a wallet and what waits in it.
type Wallet struct {
	Name    string        `json:"name"`
	Network string        `json:"network"`
	Key     string        `json:"key"`
	Open    int           `json:"open"`
	Waiting []Transaction `json:"waiting"` // the first 16 of them
}

// A Transaction is one that has not ended.
type Transaction struct {
	ID     uint32 `json:"id"`
	Wallet string `json:"wallet"`
	State  string `json:"state"`
	Code   int    `json:"reason_code"` // 0: it goes its way
	Reason string `json:"reason"`      // why it is not further, in words
	Age    int64  `json:"age_seconds"` // running time since it was accepted; -1 not known
}

// PIN is what the device asks for.
type PIN struct {
	State string `json:"state"` // "NONE", "PIN", "PUK" or "BLOCKED"
	Left  int    `json:"tries_left"`
}

// A Journal is the state of the journal and what was written since the start.
type Journal struct {
	Bytes      int64  `json:"bytes"` // of the file
	Snapshot   int64  `json:"snapshot_bytes"`
	Log        int64  `json:"log_bytes"`
	Generation uint64 `json:"generation"` // how often it was rewritten, and one
	Appends    int64  `json:"appends"`
	Written    int64  `json:"written_bytes"` // to flash
	Syncs      int64  `json:"syncs"`
	Failures   int64  `json:"failures"`
	InDoubt    bool   `json:"in_doubt"` // the last write failed and is not put right yet
}

// Flash is the file system of the state directory.
type Flash struct {
	Free int64 `json:"free_bytes"` // for boatd
	Size int64 `json:"size_bytes"`
}

// Memory is what the process uses.
type Memory struct {
	Resident   int64 `json:"resident_bytes"`
	Heap       int64 `json:"heap_bytes"`
	Goroutines int   `json:"goroutines"`
}

// Events are the unsolicited codes.
type Events struct {
	Last     uint32 `json:"last"`     // number of the newest
	Retained int    `json:"retained"` // that AT+BOATEVTLST shows
}

// An Alarm is one that no host has acknowledged.
type Alarm struct {
	Seq     uint32 `json:"seq"`
	Code    int    `json:"code"`
	Text    string `json:"text"`
	Subject string `json:"subject"`
}

// A Log counts lines of the log and has the newest warnings and errors.
type Log struct {
	Written map[string]uint64 `json:"written"` // by severity
	LeftOut uint64            `json:"left_out"`
	Errors  []Line            `json:"errors"`
}

// A Line is a line of the log.
type Line struct {
	Time  string `json:"time"` // RFC 3339
	Level string `json:"level"`
	Text  string `json:"text"`
}
