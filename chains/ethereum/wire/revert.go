package wire

import (
	"encoding/hex"
	"strings"

	"github.com/boatd/boatd/chains/ethereum/abi"
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
			return abi.Reason(b)
		}
	} else if _, after, ok := strings.Cut(data, "revert: "); ok {
		return after
	}
	if _, after, ok := strings.Cut(e.Message, "reverted: "); ok {
		return after
	}
	return e.Message
}
