package ops

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{bufio.NewWriter(w)}
	p.line("boatd", "%s, built %s, start %d, up %s", or(r.Version, "(starting)"), or(r.Build, "?"), r.Starts, span(r.Uptime))
	var good, bad []string
	for _, part := range ReadyParts {
		if r.Ready[part] {
			good = append(good, part)
		} else {
			bad = append(bad, part)
		}
	}
	p.line("ready", "%s; not ready: %s", list(good), list(bad))
	for _, n := range r.Networks {
		p.network(n)
	}
	p.wallets(r)
	p.line("keys", "%s; stores %s; wallets protected by %s; sealed by %s", counts(r.Keys, "active", "suspended", "retired", "compromised"), list(r.Stores), or(r.Protection, "none"), or(r.Seal, "nothing yet"))
	if r.PIN.State != "" {
		p.line("pin", "%s, %d tries left", r.PIN.State, r.PIN.Left)
	}
	if r.Source == "at" {
		p.line("more", "set metrics.socket: then the daemon tells of wallets, journal, flash, memory, alarms and errors")
		return p.out.Flush()
	}
	p.machine(r)
	p.troubles(r)
	return p.out.Flush()
}

// A printer writes lines that begin with what they are about.
type printer struct{ out *bufio.Writer }

func (p *printer) line(about, format string, args ...any) {
	fmt.Fprintf(p.out, "%-9s "+format+"\n", append([]any{about}, args...)...)
}

func (p *printer) network(n Network) {
	answered := "no answer yet"
	if n.Answered >= 0 {
		answered = "answered " + span(n.Answered) + " ago"
	}
	more := ""
	if n.Requests > 0 {
		more = fmt.Sprintf(", %d requests, %d failed", n.Requests, n.Failures)
	}
	if n.Budget > 0 {
		more += fmt.Sprintf(", %s of today's %s used", size(int64(n.Used)), size(int64(n.Budget)))
	}
	p.line("network", "%s: %s, block %d, %s, %s sent, %s received%s, %d open", n.Name, n.State, n.Height, answered, size(int64(n.Sent)), size(int64(n.Received)), more, n.Open)
	if n.Why != "" {
		p.line("", "  %s", n.Why)
	}
}

func (p *printer) wallets(r *Report) {
	for _, w := range r.Wallets {
		p.line("wallet", "%s on %s with key %s: %d open", w.Name, w.Network, w.Key, w.Open)
		for _, t := range w.Waiting {
			p.line("", "  %s", t.words())
		}
		if hidden := w.Open - len(w.Waiting); hidden > 0 {
			p.line("", "  and %d more", hidden)
		}
	}
	switch {
	case r.Oldest != nil:
		p.line("oldest", "%s", r.Oldest.words())
	case r.Ready["journal"]:
		p.line("oldest", "nothing is open")
	}
}

func (t *Transaction) words() string {
	s := fmt.Sprintf("id %d, %s", t.ID, t.State)
	if t.Age >= 0 {
		s += ", for " + span(t.Age)
	}
	if t.Code != 0 {
		return fmt.Sprintf("%s: %s (%d)", s, t.Reason, t.Code)
	}
	return s + ": " + t.Reason
}

func (p *printer) machine(r *Report) {
	j := r.Journal
	doubt := ""
	if j.InDoubt {
		doubt = ", LAST WRITE IN DOUBT"
	}
	p.line("journal", "%s, rewritten %d times; since the start %d records, %s written, %d syncs, %d failures%s",
		size(j.Bytes), max(1, j.Generation)-1, j.Appends, size(j.Written), j.Syncs, j.Failures, doubt)
	p.line("flash", "%s free of %s", size(r.Flash.Free), size(r.Flash.Size))
	p.line("memory", "%s resident, %s heap, %d goroutines", size(r.Memory.Resident), size(r.Memory.Heap), r.Memory.Goroutines)
	for _, c := range r.Channels {
		p.line("channel", "%s: %d sessions, %d lines, %d failed", c.Name, c.Sessions, c.Lines, c.Failures)
	}
	p.line("events", "newest %d, %d retained", r.Events.Last, r.Events.Retained)
}

func (p *printer) troubles(r *Report) {
	for _, a := range r.Alarms {
		p.line("ALARM", "%s (%d) %s; AT+BOATEVTACK=%d acknowledges it", a.Text, a.Code, a.Subject, a.Seq)
	}
	p.line("log", "%d warnings, %d errors, %d lines left out", r.Log.Written["warn"], r.Log.Written["error"], r.Log.LeftOut)
	for _, l := range r.Log.Errors {
		p.line("", "  %s", l.Text)
	}
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func list(words []string) string { return or(strings.Join(words, ", "), "none") }

// counts shows those that are not 0; "none" without any.
func counts(m map[string]int, names ...string) string {
	var parts []string
	for _, name := range names {
		if m[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", m[name], name))
		}
	}
	return list(parts)
}

// span shows seconds as people say them: "2d3h", "4m5s".
func span(seconds int64) string {
	const day = 24 * time.Hour
	d := time.Duration(seconds) * time.Second
	switch {
	case d >= day:
		return fmt.Sprintf("%dd%dh", d/day, d%day/time.Hour)
	case d >= time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return d.String()
}

// size shows bytes in the unit that leaves few digits.
func size(n int64) string {
	switch {
	case n >= 10_000_000:
		return fmt.Sprintf("%d MB", n/1_000_000)
	case n >= 10_000:
		return fmt.Sprintf("%d kB", n/1000)
	}
	return fmt.Sprintf("%d B", n)
}
