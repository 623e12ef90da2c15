package ethereum

import (
	"fmt"
	"math/big"
	"regexp"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/boatd/boatd/chains"
	"github.com/boatd/boatd/chains/ethereum/wire"
)

// codec is the part of a network that needs no options.
type codec struct{}

// Address is the last 20 bytes of the Keccak-256 of the public key, with the
// checksum of EIP-55.
func (codec) Address(curve string, pub []byte) (string, error) {
	if curve != "secp256k1" {
		return "", fmt.Errorf("address of a key: %w: %q", chains.ErrCurve, curve)
	}
	key, err := crypto.DecompressPubkey(pub)
	if err != nil {
		return "", fmt.Errorf("address of a key: %w: %w", chains.ErrCurve, err)
	}
	return crypto.PubkeyToAddress(*key).Hex(), nil
}

var addressText = regexp.MustCompile(`^0x(?:([0-9a-f]{40})|([0-9A-F]{40})|([0-9a-fA-F]{40}))$`)

// ParseAddress takes 0x and 40 hex digits. Where both cases are used they are
// the checksum of EIP-55.
func (codec) ParseAddress(text string) (string, error) {
	m := addressText.FindStringSubmatch(text)
	if m == nil {
		return "", fmt.Errorf("read address: %w: %.60q", chains.ErrAddress, text)
	}
	shown := common.HexToAddress(text).Hex()
	if m[3] != "" && shown != text {
		return "", fmt.Errorf("read address: %w: %q", chains.ErrChecksum, text)
	}
	return shown, nil
}

// maxData is the most call data or init code that nodes take in one
// transaction (128 KiB in all, geth's and others' pool limit), less what the
// other fields need.
const maxData = 128<<10 - 1024

// Judge says whether an intent could ever be carried out. The most it may
// spend is its value and, as fee, the smaller of max_total_fee and highest gas
// limit times highest fee.
func (n *network) Judge(in chains.Intent) (*big.Int, error) {
	const doing = "judge the intent"
	switch {
	case in.Type != nil && *in.Type != 0 && *in.Type != 2:
		return nil, wire.Refuse(chains.ErrOption, doing, "type %d", *in.Type)
	case in.Type != nil && *in.Type == 0 && in.Tip != nil:
		return nil, wire.Refuse(chains.ErrOption, doing, "a transaction of type 0 has no tip")
	case in.Kind == chains.Transfer && len(in.Data) > 0:
		return nil, wire.Refuse(chains.ErrOption, doing, "a transfer has no data")
	case in.Kind == chains.Deploy && (in.To != "" || len(in.Data) == 0):
		return nil, wire.Refuse(chains.ErrOption, doing, "a deployment has init code and no recipient")
	case in.Asset != "" && (in.Kind != chains.Transfer || in.Value.BitLen() > 256):
		return nil, wire.Refuse(chains.ErrOption, doing, "a token is only transferred")
	case in.Kind < chains.Transfer || in.Kind > chains.Deploy:
		return nil, wire.Refuse(chains.ErrOption, doing, "kind %d", in.Kind)
	case len(in.Data) > maxData:
		return nil, wire.Refuse(chains.ErrOption, doing, "%d bytes of data", len(in.Data))
	case in.Gas > n.opt.maxGas:
		return nil, wire.Refuse(chains.ErrCeiling, doing, "gas %d, ceiling %d", in.Gas, n.opt.maxGas)
	case in.Tip != nil && in.Tip.Cmp(n.opt.maxTip) > 0:
		return nil, wire.Refuse(chains.ErrCeiling, doing, "tip %d, ceiling %d", in.Tip, n.opt.maxTip)
	}
	if in.Kind != chains.Deploy {
		if _, err := n.ParseAddress(in.To); err != nil {
			return nil, err
		}
	}
	if in.Asset != "" {
		if _, err := n.ParseAddress(in.Asset); err != nil {
			return nil, err
		}
	}
	return n.worst(in)
}

// worst returns the most that an intent may spend.
func (n *network) worst(in chains.Intent) (*big.Int, error) {
	gas, fee := n.opt.maxGas, n.opt.maxFee
	if in.Gas > 0 {
		gas = in.Gas
	}
	if in.MaxFee != nil {
		if in.MaxFee.Cmp(fee) > 0 {
			return nil, wire.Refuse(chains.ErrCeiling, "judge the intent", "fee %d, ceiling %d", in.MaxFee, fee)
		}
		fee = in.MaxFee
	}
	total := new(big.Int).SetUint64(gas)
	total.Mul(total, fee)
	if total.Cmp(n.opt.maxTotal) > 0 {
		if in.Gas > 0 && in.MaxFee != nil {
			return nil, wire.Refuse(chains.ErrCeiling, "judge the intent", "%d in all, ceiling %d", total, n.opt.maxTotal)
		}
		total.Set(n.opt.maxTotal)
	}
	if n.opt.oracle != "" {
		total.Set(n.opt.maxTotal)
	}
	return total.Add(total, in.Native()), nil
}
