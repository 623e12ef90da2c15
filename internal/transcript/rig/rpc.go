package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Ask asks a node one question, without any of boatd's code, and decodes the
// result.
func Ask(ctx context.Context, url string, result any, method string, params ...any) error {
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("asking %s: %w", method, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("asking %s: %w", method, err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("asking %s: %w", method, err)
	}
	defer answer.Body.Close()
	var got struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 1<<20)).Decode(&got); err != nil {
		return fmt.Errorf("asking %s: %w", method, err)
	}
	if got.Error != nil {
		return fmt.Errorf("asking %s: the node refused: %s", method, got.Error.Message)
	}
	if err := json.Unmarshal(got.Result, result); err != nil {
		return fmt.Errorf("asking %s: %w", method, err)
	}
	return nil
}
