package journal

import "errors"

// What a journal can answer. Errors of the file system are wrapped as they are.
var (
	// ErrVersion: another major version or file format wrote the file. Nothing
	// was touched.
	ErrVersion = errors.New("journal of an unknown version")
	// ErrDamaged: the file has lost something that was acknowledged, or is no
	// journal. Nothing was touched.
	ErrDamaged = errors.New("journal is damaged")
	// ErrTooLarge: the payload is over MaxPayload.
	ErrTooLarge = errors.New("record too large for the journal")
	// ErrStale: the position is of an earlier generation.
	ErrStale = errors.New("journal position of an earlier generation")
)
