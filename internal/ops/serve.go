package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/boatd/boatd/atcmd"
	"github.com/boatd/boatd/internal/prom"
)

// What the socket serves.
const (
	PathMetrics = "/metrics" // Prometheus text
	PathStatus  = "/status"  // a [Report] as JSON
	PathLog     = "/log"     // the newest lines of the log
)

const (
	requestMax  = 4096
	requestTime = 5 * time.Second
)

// Serve answers one request of HTTP/1 (RFC 9112) and closes. It reads 4 KiB at
// most and takes 5 seconds at most; a body is not looked at.
func (s *Source) Serve(ctx context.Context, p atcmd.Port) error {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	defer p.Close()
	defer context.AfterFunc(ctx, func() { p.Close() })()
	method, path, err := readRequest(p)
	if err != nil {
		return respond(p, method, "400 Bad Request", "text/plain", []byte(err.Error()+"\n"))
	}
	return s.answer(p, method, path)
}

func (s *Source) answer(w io.Writer, method, path string) error {
	kind, status := "text/plain; charset=utf-8", "200 OK"
	var body bytes.Buffer
	switch {
	case method != "GET" && method != "HEAD":
		status = "405 Method Not Allowed"
	case path == PathMetrics:
		kind = prom.ContentType
		m := &prom.Writer{}
		s.Report().Metrics(m)
		_, _ = m.WriteTo(&body) // a buffer takes all
	case path == PathStatus:
		kind = "application/json"
		enc := json.NewEncoder(&body)
		enc.SetIndent("", "  ")
		if err := enc.Encode(s.Report()); err != nil {
			return fmt.Errorf("encoding the report: %w", err)
		}
	case path == PathLog:
		clean := s.cleaner()
		for _, l := range s.Log.Recent() {
			body.WriteString(clean.Text(l.Text) + "\n")
		}
	default:
		status = "404 Not Found"
		body.WriteString("there are " + PathMetrics + ", " + PathStatus + " and " + PathLog + "\n")
	}
	return respond(w, method, status, kind, body.Bytes())
}

func respond(w io.Writer, method, status, kind string, body []byte) error {
	head := fmt.Sprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n", status, kind, len(body))
	if method == "HEAD" {
		body = nil
	}
	_, err := w.Write(append([]byte(head), body...))
	return err
}

// readRequest reads up to the empty line behind the header.
func readRequest(r io.Reader) (method, path string, err error) {
	head := make([]byte, 0, requestMax)
	for !ended(head) {
		if len(head) == cap(head) {
			return "", "", fmt.Errorf("%w: its header is longer than %d bytes", errRequest, requestMax)
		}
		n, err := r.Read(head[len(head):cap(head)])
		head = head[:len(head)+n]
		if err != nil && !ended(head) {
			return "", "", fmt.Errorf("%w: it ends early", errRequest)
		}
	}
	line, _, _ := strings.Cut(string(head), "\n")
	words := strings.Fields(line)
	if len(words) != 3 || !strings.HasPrefix(words[2], "HTTP/1.") {
		return "", "", errRequest
	}
	path, _, _ = strings.Cut(words[1], "?")
	return words[0], path, nil
}

func ended(head []byte) bool {
	return bytes.Contains(head, []byte("\r\n\r\n")) || bytes.Contains(head, []byte("\n\n"))
}
