package wire

import (
	"encoding/json"
	"errors"
	"math"

	"github.com/boatd/boatd/chains"
)

// Bounds of what is read of logs. So many logs are more than an answer of a
// megabyte can hold: each names its block and its transaction.
const (
	maxLogs   = 4096
	maxTopics = 4
)

// ReadLogs reads the logs in the receipt of the transaction hash; nil and no
// error for a receipt that is not there or not of a block.
func ReadLogs(raw json.RawMessage, hash string) ([]chains.Log, error) {
	r, err := ReadReceipt(raw, hash)
	if r == nil || err != nil {
		return nil, err
	}
	var o struct {
		Logs []struct {
			Address, Data json.RawMessage
			Topics        []json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &o); err != nil || len(o.Logs) > maxLogs {
		return nil, Malformed("logs", raw)
	}
	logs := make([]chains.Log, len(o.Logs))
	for i, l := range o.Logs {
		if logs[i], err = readLog(l.Address, l.Data, l.Topics); err != nil {
			return nil, err
		}
	}
	return logs, nil
}

func readLog(address, data json.RawMessage, topics []json.RawMessage) (l chains.Log, err error) {
	if len(topics) > maxTopics {
		return l, Malformed("topics", data)
	}
	if l.Address, err = ReadData("address of a log", address); err == nil && len(l.Address) != 20 {
		err = Malformed("address of a log", address)
	}
	if err != nil {
		return l, err
	}
	for _, t := range topics {
		topic, err := ReadData("topic", t)
		if err == nil && len(topic) != 32 {
			err = Malformed("topic", t)
		}
		if err != nil {
			return l, err
		}
		l.Topics = append(l.Topics, topic)
	}
	l.Data, err = ReadData("data of a log", data)
	return l, err
}

// ReadEvents reads the answer to eth_getLogs.
func ReadEvents(raw json.RawMessage) ([]chains.Event, error) {
	var o []struct {
		Address, Data, BlockNumber, BlockHash, TransactionHash, LogIndex json.RawMessage
		Topics                                                           []json.RawMessage
		Removed                                                          bool
	}
	if err := json.Unmarshal(raw, &o); err != nil || o == nil || len(o) > maxLogs {
		return nil, Malformed("logs", raw)
	}
	events := make([]chains.Event, len(o))
	for i, l := range o {
		var err1, err2, err3, err4, err5 error
		e := &events[i]
		e.Log, err1 = readLog(l.Address, l.Data, l.Topics)
		e.Block.Number, err2 = ReadNumber(l.BlockNumber)
		e.Block.Hash, err3 = ReadHash("block hash of a log", l.BlockHash)
		e.Tx, err4 = ReadHash("transaction hash of a log", l.TransactionHash)
		e.Index, err5 = ReadUint("log index", l.LogIndex)
		if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
			return nil, err
		}
		if l.Removed || e.Index > math.MaxUint32 {
			return nil, Malformed("a log", raw)
		}
	}
	return events, nil
}
