package ledger

import "errors"

// ErrImpossible: a record contradicts the state; it is not applied.
var ErrImpossible = errors.New("record contradicts the ledger")
