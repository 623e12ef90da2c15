package wire

import (
	"encoding/json"

	"github.com/boatd/boatd/chains"
)

// Bounds of what is read of a receipt's logs.
const (
	maxLogs   = 1024
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
