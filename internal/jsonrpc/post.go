package jsonrpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

type question struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type answer struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *Error          `json:"error"`
}

// post sends calls in one HTTP request, as a JSON array if batch, and fills
// them from the response.
func (c *Client) post(ctx context.Context, conn Conn, calls []*Call, batch bool) error {
	if err := c.admit(); err != nil {
		return err
	}
	first := c.id.Add(uint64(len(calls))) - uint64(len(calls)) + 1
	body, err := marshal(calls, first, batch)
	if err != nil {
		return fmt.Errorf("encode %s: %w", calls[0].Method, err)
	}
	status, body, err := c.roundTrip(ctx, conn, body)
	if err != nil {
		return err
	}
	err = unmarshal(body, calls, first, batch)
	var refused batchRefused
	switch {
	case status/100 == 3 || status == http.StatusTooManyRequests:
		return StatusError(status)
	case status == http.StatusOK || err == nil || errors.As(err, &refused):
		return err
	case batch && refusesBatch(status):
		return batchRefused{StatusError(status)}
	}
	return StatusError(status)
}

// refusesBatch says whether a status can mean that the server takes single
// questions only.
func refusesBatch(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusNotImplemented:
		return true
	}
	return false
}

func marshal(calls []*Call, first uint64, batch bool) ([]byte, error) {
	questions := make([]question, len(calls))
	for i, call := range calls {
		questions[i] = question{"2.0", first + uint64(i), call.Method, call.Params}
		if call.Params == nil {
			questions[i].Params = []any{}
		}
	}
	if batch {
		return json.Marshal(questions)
	}
	return json.Marshal(questions[0])
}

func (c *Client) roundTrip(ctx context.Context, conn Conn, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, errors.New("the URL makes no request")
	}
	if user := c.o.URL.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "boatd")
	resp, err := conn.RoundTrip(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, c.o.MaxBody+1))
	if int64(len(data)) > c.o.MaxBody {
		return 0, nil, fmt.Errorf("%w: more than %d bytes", ErrTooLarge, c.o.MaxBody)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer: %w", err)
	}
	return resp.StatusCode, data, nil
}

// unmarshal fills calls, whose ids count up from first, from a response body.
// Every call must be answered exactly once, in any order, and nothing else may
// be answered.
func unmarshal(body []byte, calls []*Call, first uint64, batch bool) error {
	answers := make([]answer, 1)
	object := bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("{"))
	var err error
	if batch && !object {
		err = json.Unmarshal(body, &answers)
	} else {
		err = json.Unmarshal(body, &answers[0])
	}
	switch {
	case err != nil:
		return fmt.Errorf("%w: %.100q: %w", ErrAnswer, body, err)
	case batch && object && answers[0].Error != nil:
		return batchRefused{answers[0].Error}
	case len(answers) != len(calls):
		return fmt.Errorf("%w: %d answers to %d questions", ErrAnswer, len(answers), len(calls))
	}
	seen := make([]bool, len(calls))
	for _, a := range answers {
		id, err := strconv.ParseUint(string(a.ID), 10, 64)
		i := id - first
		if err != nil || i >= uint64(len(calls)) || seen[i] {
			return fmt.Errorf("%w: id %.20q", ErrAnswer, a.ID)
		}
		seen[i] = true
		if err := a.fill(calls[i]); err != nil {
			return err
		}
	}
	return nil
}

// fill moves a into call. Some servers send a null result beside an error;
// any other pair is refused, and so is neither of them.
func (a *answer) fill(call *Call) error {
	switch {
	case a.Error != nil && (a.Result == nil || string(a.Result) == "null"):
		call.Result, call.Err, call.TooLarge = nil, a.Error, false
	case a.Error == nil && a.Result != nil:
		call.Result, call.Err, call.TooLarge = a.Result, nil, false
	default:
		return fmt.Errorf("%w: neither a result nor an error, or both", ErrAnswer)
	}
	return nil
}
