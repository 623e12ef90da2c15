package typed

import (
	"errors"
	"fmt"
)

var (
	// ErrData: the text is not typed data as [Parse] takes it.
	ErrData = errors.New("not EIP-712 typed data")
	// ErrSignature: the bytes are no signature, or another account made it.
	ErrSignature = errors.New("the signature is not good")
)

// refuse returns an ErrData that says where and why.
func refuse(where, format string, args ...any) error {
	return fmt.Errorf("%w: %.60q: %s", ErrData, where, fmt.Sprintf(format, args...))
}
