package ops

import (
	"golang.org/x/sys/unix"

	"github.com/boatd/boatd/internal/logs"
	"github.com/boatd/boatd/internal/prom"
)

// Metrics writes the report as metrics. The labels are the names of networks,
// wallets and channels, and states: so their number is bounded.
func (r *Report) Metrics(w *prom.Writer) {
	r.general(w)
	r.networkMetrics(w)
	r.transactionMetrics(w)
	r.storageMetrics(w)
	r.hostMetrics(w)
	r.logMetrics(w)
	r.processMetrics(w)
}

func (r *Report) general(w *prom.Writer) {
	w.Family("boatd_build_info", prom.Gauge, "Always 1; the labels say which boatd this is.")
	w.Sample(1, "version", r.Version, "build", r.Build)
	w.One("boatd_starts", prom.Gauge, "Starts of boatd on this device.", float64(r.Starts))
	w.One("boatd_uptime_seconds", prom.Gauge, "Time since the start.", float64(r.Uptime))
	w.Family("boatd_ready", prom.Gauge, "Whether a part is ready, as AT+BOATREADY tells.")
	for _, part := range ReadyParts {
		w.Sample(truth(r.Ready[part]), "part", part)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// networkFamilies are the metrics of each network.
var networkFamilies = []struct {
	name, kind, help string
	value            func(*Network) float64
}{
	{"boatd_network_up", prom.Gauge, "1 while the last request was answered, 0 while it was not or none was made.", func(n *Network) float64 { return truth(n.State == "up") }},
	{"boatd_network_height", prom.Gauge, "Number of the newest block seen.", func(n *Network) float64 { return float64(n.Height) }},
	{"boatd_network_sent_bytes_total", prom.Counter, "Bytes sent, TLS included.", func(n *Network) float64 { return float64(n.Sent) }},
	{"boatd_network_received_bytes_total", prom.Counter, "Bytes received, TLS included.", func(n *Network) float64 { return float64(n.Received) }},
	{"boatd_network_requests_total", prom.Counter, "Requests put to nodes.", func(n *Network) float64 { return float64(n.Requests) }},
	{"boatd_network_request_failures_total", prom.Counter, "Requests without an answer that counts.", func(n *Network) float64 { return float64(n.Failures) }},
	{"boatd_network_budget_used_bytes", prom.Gauge, "Bytes used of the present day's budget.", func(n *Network) float64 { return float64(n.Used) }},
	{"boatd_network_budget_bytes", prom.Gauge, "Budget of bytes a day; 0 for none.", func(n *Network) float64 { return float64(n.Budget) }},
	{"boatd_network_open_transactions", prom.Gauge, "Transactions that have not ended.", func(n *Network) float64 { return float64(n.Open) }},
}

func (r *Report) networkMetrics(w *prom.Writer) {
	if len(r.Networks) == 0 {
		return
	}
	for _, f := range networkFamilies {
		w.Family(f.name, f.kind, f.help)
		for i := range r.Networks {
			w.Sample(f.value(&r.Networks[i]), "network", r.Networks[i].Name)
		}
	}
	w.Family("boatd_network_answer_age_seconds", prom.Gauge, "Time since the last answer; no sample before the first.")
	for _, n := range r.Networks {
		if n.Answered >= 0 {
			w.Sample(float64(n.Answered), "network", n.Name)
		}
	}
}

func (r *Report) transactionMetrics(w *prom.Writer) {
	w.Family("boatd_transactions", prom.Gauge, "Transactions that are remembered, by state; those from confirmed on have ended.")
	for i, state := range states {
		count := r.Open[state]
		if i >= firstEnd {
			count = r.Ended[state]
		}
		w.Sample(float64(count), "state", state)
	}
	age := int64(0)
	if r.Oldest != nil {
		age = r.Oldest.Age
	}
	w.One("boatd_oldest_open_transaction_age_seconds", prom.Gauge, "Running time since the oldest transaction that has not ended was accepted; 0 without one.", float64(age))
	if len(r.Wallets) > 0 {
		w.Family("boatd_wallet_open_transactions", prom.Gauge, "Transactions of a wallet that have not ended.")
		for _, wallet := range r.Wallets {
			w.Sample(float64(wallet.Open), "wallet", wallet.Name, "network", wallet.Network)
		}
	}
	w.Family("boatd_keys", prom.Gauge, "Keys, by state.")
	for _, state := range []string{"active", "suspended", "retired", "compromised"} {
		w.Sample(float64(r.Keys[state]), "state", state)
	}
}

// firstEnd is the number of the first state that is an end.
const firstEnd = 4

func (r *Report) storageMetrics(w *prom.Writer) {
	j := r.Journal
	w.Family("boatd_journal_bytes", prom.Gauge, "Size of a part of the journal's file; the rest of it is zeros.")
	w.Sample(float64(j.Snapshot), "part", "snapshot")
	w.Sample(float64(j.Log), "part", "log")
	w.One("boatd_journal_file_bytes", prom.Gauge, "Size of the journal's file.", float64(j.Bytes))
	w.One("boatd_journal_generation", prom.Gauge, "How often the journal has been rewritten, and one.", float64(j.Generation))
	w.One("boatd_journal_appends_total", prom.Counter, "Records appended.", float64(j.Appends))
	w.One("boatd_journal_syncs_total", prom.Counter, "Syncs of the journal's file.", float64(j.Syncs))
	w.One("boatd_journal_failures_total", prom.Counter, "Operations on the journal that failed.", float64(j.Failures))
	w.One("boatd_journal_in_doubt", prom.Gauge, "1 while a failed write is not put right.", truth(j.InDoubt))
	w.One("boatd_flash_written_bytes_total", prom.Counter, "Bytes written to the journal's files.", float64(j.Written))
	w.One("boatd_flash_free_bytes", prom.Gauge, "Free space where the state directory is.", float64(r.Flash.Free))
	w.One("boatd_flash_size_bytes", prom.Gauge, "Size of the file system of the state directory.", float64(r.Flash.Size))
}

func (r *Report) hostMetrics(w *prom.Writer) {
	if len(r.Channels) > 0 {
		w.Family("boatd_at_lines_total", prom.Counter, "Command lines that were answered.")
		for _, c := range r.Channels {
			w.Sample(float64(c.Lines), "channel", c.Name)
		}
		w.Family("boatd_at_failures_total", prom.Counter, "Command lines that were not answered with OK.")
		for _, c := range r.Channels {
			w.Sample(float64(c.Failures), "channel", c.Name)
		}
		w.Family("boatd_at_sessions", prom.Gauge, "Sessions that are open.")
		for _, c := range r.Channels {
			w.Sample(float64(c.Sessions), "channel", c.Name)
		}
	}
	w.One("boatd_events_retained", prom.Gauge, "Unsolicited codes that can still be read.", float64(r.Events.Retained))
	w.One("boatd_events_last_number", prom.Gauge, "Number of the newest unsolicited code.", float64(r.Events.Last))
	w.One("boatd_alarms", prom.Gauge, "Alarms that no host has acknowledged.", float64(len(r.Alarms)))
	w.One("boatd_pin_tries_left", prom.Gauge, "Tries left of the code that is asked for now.", float64(r.PIN.Left))
}

func (r *Report) logMetrics(w *prom.Writer) {
	w.Family("boatd_log_lines_total", prom.Counter, "Lines of the log that were written.")
	for _, level := range logs.Severities {
		w.Sample(float64(r.Log.Written[level]), "level", level)
	}
	w.One("boatd_log_left_out_total", prom.Counter, "Lines that the bound of the log left out.", float64(r.Log.LeftOut))
}

// processMetrics have the names that Prometheus's own libraries use where those
// have one.
func (r *Report) processMetrics(w *prom.Writer) {
	w.One("process_resident_memory_bytes", prom.Gauge, "Resident memory.", float64(r.Memory.Resident))
	w.One("go_memstats_heap_alloc_bytes", prom.Gauge, "Bytes of the heap that are in use.", float64(r.Memory.Heap))
	w.One("go_goroutines", prom.Gauge, "Goroutines.", float64(r.Memory.Goroutines))
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return
	}
	seconds := float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	w.One("process_cpu_seconds_total", prom.Counter, "Processor time.", seconds)
	w.One("boatd_wakeups_total", prom.Counter, "How often a thread has gone to sleep, and so been woken.", float64(u.Nvcsw))
}
