package chains

import (
	"slices"
	"testing"
)

func TestTightens(t *testing.T) {
	for _, c := range []struct {
		option, from, to string
		want             bool
	}{
		{"max_tip", "5gwei", "4gwei", true}, {"max_tip", "5gwei", "5000000000", true}, {"max_tip", "5gwei", "5000000001", false},
		{"max_total_fee", "0.01ether", "0", true}, {"max_gas", "100", "99", true}, {"max_gas", "100", "101", false},
		{"confirmations", "2", "3", true}, {"confirmations", "2", "1", false}, {"agree", "1", "2", true},
		{"bump_max", "3", "4", false}, {"daily_bytes", "0", "5", false}, {"daily_bytes", "5", "0", false}, {"daily_bytes", "5", "4", true},
		{"chain_id", "1", "1", false}, {"endpoints", "a", "b", false}, {"external_use", "true", "false", false}, {"bump_after", "60", "30", false},
	} {
		row, ok := LookupOption(c.option)
		if !ok {
			t.Fatalf("no option %s", c.option)
		}
		if got := row.Tightens(c.from, c.to); got != c.want {
			t.Errorf("%s from %q to %q tightens: %v", c.option, c.from, c.to, got)
		}
	}
}

// TestCeilingsTighten: every ceiling may be lowered, and nothing that widens what
// a device does may be changed without being listed.
func TestCeilingsTighten(t *testing.T) {
	free := []string{"max_fee_per_gas", "max_tip", "max_gas", "max_total_fee", "bump_max", "daily_bytes", "confirmations", "agree"}
	for _, row := range OptionTable {
		if (row.Tighten != Fixed) != slices.Contains(free, row.Name) {
			t.Errorf("%s has direction %d", row.Name, row.Tighten)
		}
		if row.Kind == Path && !row.FileOnly {
			t.Errorf("%s is a path and may be set by AT", row.Name)
		}
	}
	for _, name := range []string{"insecure_http", "at_may_set", "pin_sha256"} {
		if row, _ := LookupOption(name); !row.FileOnly {
			t.Errorf("%s may be set by AT", name)
		}
	}
}

func TestCheckText(t *testing.T) {
	for option, texts := range map[string]map[string]bool{
		"max_gas":       {"0": true, "5000000": true, "": false, "-1": false, "01": false, "0x1": false, "1e3": false, "9007199254740992": false},
		"max_tip":       {"0": true, "1gwei": true, "": true, "1.5": false, "x": false},
		"external_use":  {"true": true, "false": true, "": false, "1": false, "TRUE": false},
		"low_balance":   {"": true, "1ether": true, "little": false},
		"daily_bytes":   {"0": true, "1": true, "-1": false, "much": false},
		"l1_fee_oracle": {"": true, "anything": true},
	} {
		row, _ := LookupOption(option)
		for text, want := range texts {
			if err := row.CheckText(text); (err == nil) != want {
				t.Errorf("%s = %q: %v", option, text, err)
			}
		}
		if err := row.CheckText(row.Default); err != nil && row.Default != "" {
			t.Errorf("the default of %s: %v", option, err)
		}
	}
}

func TestOptions(t *testing.T) {
	o := Options{"endpoints": "https://a,https://b", "max_tip": "2gwei", "external_use": "true", "max_gas": "7"}
	if l := o.List("endpoints"); !slices.Equal(l, []string{"https://a", "https://b"}) || o.List("at_may_set") != nil {
		t.Errorf("lists %q", l)
	}
	if o.Amount("max_tip").String() != "2000000000" || o.Amount("max_fee_per_gas").String() != "200000000000" || o.Amount("low_balance") != nil {
		t.Error("amounts")
	}
	if !o.Flag("external_use") || o.Flag("insecure_http") || o.Integer("max_gas") != 7 || o.Integer("bump_percent") != 12 {
		t.Error("flags or integers")
	}
}
