package ops

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// replyMax bounds what Get takes.
const replyMax = 4 << 20

// Get asks the daemon's socket for a path and returns the body.
func Get(socket, path string) ([]byte, error) {
	conn, err := net.DialTimeout("unix", socket, requestTime)
	if err != nil {
		return nil, fmt.Errorf("connecting to the daemon: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * requestTime)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: boatd\r\n\r\n"); err != nil {
		return nil, fmt.Errorf("asking the daemon for %s: %w", path, err)
	}
	reply, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, replyMax)), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReply, err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", path, err)
	case reply.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s: %s", ErrReply, path, reply.Status)
	}
	return body, nil
}

// GetReport asks the daemon's socket for its report.
func GetReport(socket string) (*Report, error) {
	body, err := Get(socket, PathStatus)
	if err != nil {
		return nil, err
	}
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrReply, err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("%w: its report has schema %d, this boatd reads %d", ErrReply, r.Schema, Schema)
	}
	return &r, nil
}
