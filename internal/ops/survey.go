package ops

import (
	"fmt"
	"os"
	"strings"

	"github.com/boatd/boatd/wallet/journal"
	"github.com/boatd/boatd/wallet/ledger"
)

// A Survey is what a journal's file consists of: numbers and sizes, nothing of
// what is in it.
type Survey struct {
	Bytes      int64          `json:"bytes"`
	Snapshot   int64          `json:"snapshot_bytes"`
	Log        int64          `json:"log_bytes"`
	Generation uint64         `json:"generation"`
	Version    string         `json:"version"` // of the contents
	Frames     int            `json:"frames"`
	Records    map[string]int `json:"records"` // by kind
}

// SurveyJournal reads the journal of a state directory, and writes nothing. The
// daemon may be running.
func SurveyJournal(stateDir string) (*Survey, error) {
	f, err := os.Open(stateDir + "/journal")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := &Survey{Records: map[string]int{}}
	stats, err := journal.Read(f, ledger.Major, func(payload []byte) error {
		s.Frames++
		batch, err := ledger.UnmarshalBatch(payload)
		for _, r := range batch.Records {
			_, kind, _ := strings.Cut(fmt.Sprintf("%T", r), ".")
			s.Records[strings.ToLower(kind)]++
		}
		return err
	})
	s.Bytes, s.Snapshot, s.Log, s.Generation = stats.FileBytes, stats.SnapshotBytes, stats.LogBytes, stats.Generation
	s.Version = fmt.Sprintf("%d.%d", ledger.Major, stats.Minor)
	return s, err
}
