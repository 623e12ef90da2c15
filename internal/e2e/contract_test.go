//go:build e2e

package e2e

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
)

// Contracts, assembled by hand: each constant is what runs on the chain, and
// initCode makes of it what deploys it. Numbers in the comments are pushed.

// box keeps one word: no data returns it, 32 bytes become it, anything else
// reverts.
const box = "" +
	"368015601157" + //     CALLDATASIZE DUP1 ISZERO get JUMPI
	"602014601c57" + //     20 EQ set JUMPI
	"60006000fd" + //       00 00 REVERT
	"5b600054600052" + //   get: 00 SLOAD 00 MSTORE
	"596000f3" + //         MSIZE 00 RETURN
	"5b60003560005500" //   set: 00 CALLDATALOAD 00 SSTORE STOP

// gate counts who passes while it is open: no data passes, and reverts while it
// is shut; 32 bytes open it (zero) or shut it; one byte returns the count.
const gate = "" +
	"3680602014601e57" + //     CALLDATASIZE DUP1 20 EQ set JUMPI
	"600114602657" + //         01 EQ get JUMPI
	"600054603157" + //         00 SLOAD shut JUMPI
	"60015460010160015500" + // 01 SLOAD 01 ADD 01 SSTORE STOP
	"5b60003560005500" + //     set: 00 CALLDATALOAD 00 SSTORE STOP
	"5b600154600052" + //       get: 01 SLOAD 00 MSTORE
	"596000f3" + //             MSIZE 00 RETURN
	"5b60006000fd" //           shut: 00 00 REVERT

// moody takes any call in blocks with odd numbers and reverts in the others, so
// that what a simulation says need not come true.
const moody = "" +
	"43600116600c57" + //   NUMBER 01 AND odd JUMPI
	"60006000fd" + //       00 00 REVERT
	"5b00" //               odd: STOP

// token has the part of ERC-20 that an allowance needs: approve, transferFrom
// out of an allowance that one owner gives, and balanceOf of what came that way.
const token = "" +
	"60003560e01c" + //         00 CALLDATALOAD e0 SHR
	"8063095ea7b314602957" + // DUP1 095ea7b3 EQ approve JUMPI
	"806323b872dd14603b57" + // DUP1 23b872dd EQ transferfrom JUMPI
	"6370a0823114605a57" + //   70a08231 EQ balanceof JUMPI
	"5b60006000fd" + //         fail: 00 00 REVERT
	"5b60243560043555" + //     approve: 24 CALLDATALOAD 04 CALLDATALOAD SSTORE
	"5b6001600052" + //         true: 01 00 MSTORE
	"596000f3" + //             MSIZE 00 RETURN
	"5b3354604435" + //         transferfrom: CALLER SLOAD 44 CALLDATALOAD
	"818111602357" + //         DUP2 DUP2 GT fail JUMPI
	"90033355" + //             SWAP1 SUB CALLER SSTORE
	"60243519805460443501" + // 24 CALLDATALOAD NOT DUP1 SLOAD 44 CALLDATALOAD ADD
	"9055603156" + //           SWAP1 SSTORE true JUMP
	"5b6004351954600052" + //   balanceof: 04 CALLDATALOAD NOT SLOAD 00 MSTORE
	"596000f3" //               MSIZE 00 RETURN

// tokenOK is init code of an ERC-20 token with 6 decimals that calls itself OK and
// a line end: whoever creates it has a million units; transfer answers false where
// they are not enough. tokenMute answers nothing where it succeeds, as old ones do.
const (
	tokenOK = "" +
		"620f424033556100c08060126000396000f360003560e01c806370a08231146031578063a9059cbb146064578063313ce567" +
		"14603e576395d89b4114604957600080fd5b6004355460005260206000f35b600660005260206000f35b6020600052600460" +
		"2052634f4b0d0a60e01b60405260606000f35b602435335481811060b5578190033355600435805482019055600052600435" +
		"337fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a3600160005260206000f35b" +
		"600060005260206000f3"
	tokenMute = "" +
		"620f424033556100b68060126000396000f360003560e01c806370a08231146031578063a9059cbb146063578063313ce567" +
		"14603e576395d89b4114604957600080fd5b6004355460005260206000f35b600660005260206000f35b6020600052600360" +
		"20526255534460e81b60405260606000f35b602435335481811060ab57819003335560043580548201905560005260043533" +
		"7fddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef60206000a3005b600060005260206000f3"
)

// sink takes any call and any value: STOP.
const sink = "00"

// initCode returns code that puts runtime on the chain: PUSH2 length DUP1 PUSH1
// 12 PUSH1 0 CODECOPY PUSH1 0 RETURN.
func initCode(runtime string) string {
	return fmt.Sprintf("61%04x80600c6000396000f3", len(runtime)/2) + runtime
}

// failingInit is init code whose constructor reverts: PUSH1 0 PUSH1 0 REVERT.
const failingInit = "60006000fd"

// complainer reverts every call with Error(text): PUSH2 length DUP1 PUSH1 12
// PUSH1 0 CODECOPY PUSH1 0 REVERT, and behind it what it reverts with.
func complainer(text string) string {
	data := "08c379a0" + word(32) + word(int64(len(text))) + hex.EncodeToString([]byte(text))
	data += strings.Repeat("00", (32-len(text)%32)%32)
	return fmt.Sprintf("61%04x80600c6000396000fd", len(data)/2) + data
}

// word is an integer as call data, hex.
func word(n int64) string { return fmt.Sprintf("%064x", big.NewInt(n)) }

// addressWord is an address as call data, hex.
func addressWord(address string) string {
	return hex.EncodeToString(common.LeftPadBytes(common.HexToAddress(address).Bytes(), 32))
}
