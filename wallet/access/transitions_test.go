package access

import (
	"errors"
	"strings"
	"testing"
)

// operations are all commands, with right, wrong and impossible codes.
var operations = map[string]func(t *testing.T, s State) (State, error){
	"unlock right":        func(t *testing.T, s State) (State, error) { return unlock(t, s, pin1) },
	"unlock wrong":        func(t *testing.T, s State) (State, error) { return unlock(t, s, bad) },
	"unlock malformed":    func(t *testing.T, s State) (State, error) { return unlock(t, s, "123") },
	"unblock right":       func(t *testing.T, s State) (State, error) { return unblock(t, s, puk1, pin2) },
	"unblock wrong":       func(t *testing.T, s State) (State, error) { return unblock(t, s, badP, pin2) },
	"unblock malformed":   func(t *testing.T, s State) (State, error) { return unblock(t, s, "1", pin2) },
	"unblock trivial":     func(t *testing.T, s State) (State, error) { return unblock(t, s, puk1, "1234") },
	"change right":        func(t *testing.T, s State) (State, error) { return setPIN(t, s, pin1, pin2, "") },
	"change wrong":        func(t *testing.T, s State) (State, error) { return setPIN(t, s, bad, pin2, "") },
	"change malformed":    func(t *testing.T, s State) (State, error) { return setPIN(t, s, "12", pin2, "") },
	"change to malformed": func(t *testing.T, s State) (State, error) { return setPIN(t, s, pin1, "12é4", "") },
	"change to trivial":   func(t *testing.T, s State) (State, error) { return setPIN(t, s, pin1, "4321", "") },
	"change with puk":     func(t *testing.T, s State) (State, error) { return setPIN(t, s, pin1, pin2, puk1) },
	"first without puk":   func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", pin2, "") },
	"first with puk":      func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", pin2, puk1) },
	"first wrong puk":     func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", pin2, badP) },
	"first short puk":     func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", pin2, "7654a") },
	"first trivial puk":   func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", pin2, "11111111") },
	"first trivial pin":   func(t *testing.T, s State) (State, error) { return setPIN(t, s, "", "0000", puk1) },
	"provision":           func(t *testing.T, s State) (State, error) { return s.Provision(cheap, []byte(badP)) },
	"reset":               func(t *testing.T, s State) (State, error) { return s.AfterReset(), nil },
}

// A result is what an operation that is not refused leaves behind.
type result struct {
	err       error
	pin, puk  int // tries left afterwards, of a code that is set
	condition Condition
	pinIs     string // the PIN afterwards; "" when none
}

// effects are those, by state.
var effects = map[string]map[string]result{
	"new": {
		"first with puk":  {nil, 10, 10, PIN, pin2},
		"first wrong puk": {nil, 10, 10, PIN, pin2}, // there is none to be wrong about: it is the PUK
		"provision":       {nil, 0, 10, None, ""},
		"reset":           {nil, 0, 0, None, ""},
	},
	"provisioned": {
		"first without puk": {nil, 10, 10, PIN, pin2},
		"first with puk":    {nil, 10, 10, PIN, pin2},
		"first wrong puk":   {ErrWrong, 0, 9, None, ""},
		"first trivial puk": {ErrWrong, 0, 9, None, ""}, // not new, so only wrong
		"reset":             {nil, 0, 10, None, ""},
	},
	"worn": {
		"first without puk": {nil, 10, 1, PIN, pin2}, // the PUK's counter stays: no right PUK was given
		"first with puk":    {nil, 10, 10, PIN, pin2},
		"first wrong puk":   {ErrWrong, 0, 0, Blocked, ""},
		"first trivial puk": {ErrWrong, 0, 0, Blocked, ""},
		"reset":             {nil, 0, 10, None, ""},
	},
	"blocked without PIN": {"reset": {nil, 0, 10, None, ""}},
	"set": {
		"unlock right": {nil, 10, 10, PIN, pin1},
		"unlock wrong": {ErrWrong, 9, 10, PIN, pin1},
		"change right": {nil, 10, 10, PIN, pin2},
		"change wrong": {ErrWrong, 9, 10, PIN, pin1},
		"reset":        {nil, 0, 10, None, ""},
	},
	"last try": {
		"unlock right": {nil, 10, 10, PIN, pin1},
		"unlock wrong": {ErrWrong, 0, 10, PUK, pin1},
		"change right": {nil, 10, 10, PIN, pin2},
		"change wrong": {ErrWrong, 0, 10, PUK, pin1},
		"reset":        {nil, 0, 10, None, ""},
	},
	"PUK": {
		"unblock right": {nil, 10, 10, PIN, pin2},
		"unblock wrong": {ErrWrong, 0, 9, PUK, pin1},
		"reset":         {nil, 0, 10, None, ""},
	},
	"last PUK try": {
		"unblock right": {nil, 10, 10, PIN, pin2},
		"unblock wrong": {ErrWrong, 0, 0, Blocked, pin1},
		"reset":         {nil, 0, 10, None, ""},
	},
	"blocked": {"reset": {nil, 0, 10, None, ""}},
}

// What is not listed for a state is refused with the state as it was: the
// refusals, by state.
var refusals = map[string]map[string]error{
	"new": {"unlock": ErrNotNow, "unblock": ErrNotNow, "change": ErrNotNow,
		"first without puk": ErrNeedsPUK, "first short puk": ErrMalformed, "first trivial puk": ErrTrivial, "first trivial pin": ErrTrivial},
	"provisioned": {"unlock": ErrNotNow, "unblock": ErrNotNow, "change": ErrNotNow, "provision": ErrHasPUK,
		"first short puk": ErrMalformed, "first trivial pin": ErrTrivial},
	"worn": {"unlock": ErrNotNow, "unblock": ErrNotNow, "change": ErrNotNow, "provision": ErrHasPUK,
		"first short puk": ErrMalformed, "first trivial pin": ErrTrivial},
	"blocked without PIN": {"unlock": ErrBlocked, "unblock": ErrNotNow, "change": ErrBlocked, "first": ErrBlocked, "provision": ErrHasPUK},
	"set": {"unlock malformed": ErrMalformed, "unblock": ErrNotNow, "change malformed": ErrMalformed, "change to malformed": ErrMalformed,
		"change to trivial": ErrTrivial, "change with puk": ErrNoPUK, "first": ErrNotNow, "provision": ErrHasPUK},
	"last try": {"unlock malformed": ErrMalformed, "unblock": ErrNotNow, "change malformed": ErrMalformed, "change to malformed": ErrMalformed,
		"change to trivial": ErrTrivial, "change with puk": ErrNoPUK, "first": ErrNotNow, "provision": ErrHasPUK},
	"PUK": {"unlock": ErrBlocked, "unblock malformed": ErrMalformed, "unblock trivial": ErrTrivial, "change": ErrBlocked,
		"first": ErrBlocked, "provision": ErrHasPUK},
	"last PUK try": {"unlock": ErrBlocked, "unblock malformed": ErrMalformed, "unblock trivial": ErrTrivial, "change": ErrBlocked,
		"first": ErrBlocked, "provision": ErrHasPUK},
	"blocked": {"unlock": ErrBlocked, "unblock": ErrNotNow, "change": ErrBlocked, "first": ErrBlocked, "provision": ErrHasPUK},
}

// TestTransitions is every command in every condition.
func TestTransitions(t *testing.T) {
	for state, s := range states(t) {
		for name, do := range operations {
			got, err := do(t, s)
			where := state + ", " + name
			if want, ok := effects[state][name]; ok {
				wantResult(t, where, got, err, want)
			} else {
				wantRefusal(t, where, err, state, name)
			}
		}
	}
}

func wantRefusal(t *testing.T, where string, err error, state, name string) {
	t.Helper()
	want := refusals[state][name]
	if want == nil {
		command, _, _ := strings.Cut(name, " ")
		want = refusals[state][command]
	}
	if want == nil {
		t.Errorf("%s: the table does not say what is to happen", where)
	} else if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", where, err, want)
	}
}

func wantResult(t *testing.T, where string, got State, err error, want result) {
	t.Helper()
	if !errors.Is(err, want.err) || (err != nil) != (want.err != nil) {
		t.Errorf("%s: %v, want %v", where, err, want.err)
	}
	if int(got.PIN.Left) != want.pin || int(got.PUK.Left) != want.puk || got.Condition() != want.condition {
		t.Errorf("%s: PIN %d, PUK %d, %s, want %+v", where, got.PIN.Left, got.PUK.Left, got.Condition(), want)
	}
	if got.PIN.Set != (want.pinIs != "") {
		t.Errorf("%s: PIN set: %v", where, got.PIN.Set)
	}
	if got.Condition() == PIN {
		if _, err := unlock(t, got, want.pinIs); err != nil {
			t.Errorf("%s: the PIN is not %q", where, want.pinIs)
		}
	}
	if err := got.Check(); err != nil {
		t.Errorf("%s: %v", where, err)
	}
}
