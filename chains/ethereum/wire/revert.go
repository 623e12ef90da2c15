package wire

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/boatd/boatd/internal/jsonrpc"
)

// reason returns why a call reverted, as well as the node tells.
func reason(e *jsonrpc.Error) string {
	data := dataText(e.Data)
	// Nethermind and OpenEthereum: "Reverted 0x..." or "revert: text".
	if _, after, ok := strings.Cut(data, "everted "); ok {
		data = after
	}
	if digits, ok := strings.CutPrefix(data, "0x"); ok {
		if b, err := hex.DecodeString(digits); err == nil && len(b) >= 4 {
			return decodeRevert(b)
		}
	} else if _, after, ok := strings.Cut(data, "revert: "); ok {
		return after
	}
	if _, after, ok := strings.Cut(e.Message, "reverted: "); ok {
		return after
	}
	return e.Message
}

// decodeRevert reads what a contract returned when it reverted: the text of
// Error(string), the number of Panic(uint256), else the selector of its own
// error (Solidity documentation, "Error handling").
func decodeRevert(data []byte) string {
	selector, body := hex.EncodeToString(data[:4]), data[4:]
	switch {
	case selector == "08c379a0" && len(body) >= 64:
		if text, ok := abiString(body); ok {
			return text
		}
	case selector == "4e487b71" && len(body) == 32:
		return fmt.Sprintf("panic 0x%x", new(big.Int).SetBytes(body))
	}
	return "0x" + selector
}

// abiString reads the only argument of a call, a string.
func abiString(body []byte) (string, bool) {
	at, ok := smallWord(body, 0)
	if !ok || at > len(body)-32 {
		return "", false
	}
	length, ok := smallWord(body, at)
	if !ok || length > len(body)-32-at {
		return "", false
	}
	return string(body[at+32 : at+32+length]), true
}

// smallWord reads a 32-byte integer that is an offset or length inside body.
func smallWord(body []byte, at int) (int, bool) {
	v := new(big.Int).SetBytes(body[at : at+32])
	if !v.IsInt64() || v.Int64() > int64(len(body)) {
		return 0, false
	}
	return int(v.Int64()), true
}
