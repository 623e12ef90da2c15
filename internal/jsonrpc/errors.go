package jsonrpc

import (
	"encoding/json"
	"errors"
	"fmt"
)

// What can be wrong with an answer. Anything else that Do returns is the
// connection's own error.
var (
	ErrAnswer   = errors.New("the answer is not JSON-RPC for the question")
	ErrTooLarge = errors.New("the answer is too large")
	ErrClosed   = errors.New("the client is closed")
	ErrAddress  = errors.New("the server's address is not allowed")
)

// A StatusError is an HTTP status without a JSON-RPC answer.
type StatusError int

func (e StatusError) Error() string { return fmt.Sprintf("HTTP status %d", int(e)) }

// An Error is what a server answers instead of a result (JSON-RPC 2.0, 5.1).
// Message and Data come from outside and are as long as the server made them.
type Error struct {
	Code    int64           `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

func (e *Error) Error() string {
	message := e.Message
	if len(message) > 200 {
		message = message[:200]
	}
	return fmt.Sprintf("code %d: %q", e.Code, message)
}

// batchRefused is a server's single answer to several questions.
type batchRefused struct{ reason error }

func (e batchRefused) Error() string { return "the server refused a batch: " + e.reason.Error() }
func (e batchRefused) Unwrap() error { return e.reason }
