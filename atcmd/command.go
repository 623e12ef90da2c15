package atcmd

import (
	"context"
	"time"

	"github.com/boatd/boatd/atcmd/internal/line"
)

// A Form is one of the four ways a command can be written (V.250, 5.4.3 and 5.4.4).
type Form uint8

// The forms, as bits.
const (
	Exec = Form(line.Exec) // AT+X, and a basic command with or without its number
	Read = Form(line.Read) // AT+X?
	Set  = Form(line.Set)  // AT+X=...
	Test = Form(line.Test) // AT+X=?, answered from the table unless the row has it among its forms
)

// A Kind is the type of a parameter.
type Kind uint8

// The kinds of parameter.
const (
	Number Kind = iota // unquoted decimal, Min to Max
	String             // quoted, Min to Max bytes
	Name               // quoted, 1 to 16 of A-Z a-z 0-9 . _ -
	Secret             // quoted, never a slot, never kept (PIN, PUK, passphrase)
	Source             // quoted "t:<text>", "x:<hex>" or "@<slot>": bytes
)

// A Param is one parameter of a command.
type Param struct {
	Name     string // as the manual names it: "wallet"
	Kind     Kind
	Min, Max uint32   // of a Number; of the length of a String, Secret or Source, Max 0: no bound but the line's
	Values   []string // of a String that is one of a few; others are refused with 50
	Optional bool     // and so are all that follow
	Repeat   bool     // the last one: any number of it
	Gaps     bool     // of a repeated one: any of them may be left out
}

// A Class bounds the time until the final result.
type Class byte

// The classes.
const (
	ClassA Class = 'A' // 1 s, no flash
	ClassB Class = 'B' // 5 s, a durable write, a software signature
	ClassC Class = 'C' // 30 s, secure hardware, self test
	ClassN Class = 'N' // the channel's nettimeout
)

// A Command is a row of the table. Everything that is known about a command is
// here: the parser, =?, AT+CLAC, the manual, the completion and the fuzz
// dictionary are made from the rows.
type Command struct {
	Name    string // "+BOATSEND", or a basic command: "E", "&C", "S3"
	Summary string // one line for the manual, lower case, no full stop
	Forms   Form   // Test: Run answers it; else the table does
	Params  []Param
	Class   Class
	PIN     bool // needs an unlocked channel
	Once    bool // executed or set, it holds a secret, signs or pays: A/ does not repeat its line
	Burn    bool // slots that its arguments name are empty from then on, whatever the result
	Abort   bool // a running one can be aborted (class N)
	Last    bool // must be the last in its line (data mode)
	// Within is the maximum response time of a command that has one of its
	// own; nil: that of the class. Its Call has arguments and nothing else.
	Within func(c *Call) time.Duration
	// Run does the work. It writes information lines to c and returns nil for
	// OK or an error: an *Error as it is, context.DeadlineExceeded as code 31,
	// context.Canceled after an abort as 52, anything else as 100.
	Run func(ctx context.Context, c *Call) error
}

// ClassTimes are the maximum response times; class N is the channel's setting.
var ClassTimes = map[Class]time.Duration{
	ClassA: time.Second, ClassB: 5 * time.Second, ClassC: 30 * time.Second,
}
