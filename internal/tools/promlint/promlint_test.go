// Package promlint has Prometheus's own parser and linter judge the metrics that
// boatd writes.
package promlint

import (
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

const golden = "../../ops/testdata/metrics.prom"

func TestMetrics(t *testing.T) {
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.New(strings.NewReader(string(text))).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	families, err := new(expfmt.TextParser).TextToMetricFamilies(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if len(families) < 30 {
		t.Errorf("only %d metrics", len(families))
	}
	sent := families["boatd_network_sent_bytes_total"]
	if sent.GetType() != dto.MetricType_COUNTER || len(sent.GetMetric()) != 2 || sent.GetMetric()[0].GetCounter().GetValue() != 12_345_678 {
		t.Errorf("%v", sent)
	}
	info := families["boatd_build_info"].GetMetric()[0].GetLabel()
	if info[0].GetValue() != `v1 "x\y` {
		t.Errorf("%v", info)
	}
}

// TestLinterBites: the linter that is content above is not content with all.
func TestLinterBites(t *testing.T) {
	for _, bad := range []string{"# HELP a_milliseconds x\n# TYPE a_milliseconds counter\na_milliseconds 1\n", "# TYPE x counter\nx 1\n"} {
		if problems, err := promlint.New(strings.NewReader(bad)).Lint(); err != nil || len(problems) == 0 {
			t.Errorf("%q: %v, %v", bad, problems, err)
		}
	}
}
