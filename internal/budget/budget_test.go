package budget

import (
	"testing"
	"time"
)

func TestTake(t *testing.T) {
	b := Budget{Burst: 3, Every: 10 * time.Second}
	start := time.Unix(1_800_000_000, 0)
	for i, c := range []struct {
		at   time.Duration
		want bool
	}{
		{0, true}, {0, true}, {time.Second, true}, {2 * time.Second, false}, {9 * time.Second, false},
		{10 * time.Second, true}, {10 * time.Second, false}, {19 * time.Second, false}, {20 * time.Second, true},
		{-time.Hour, false}, {21 * time.Second, false},
		{time.Hour, true}, {time.Hour, true}, {time.Hour, true}, {time.Hour, false}, {time.Hour + 10*time.Second, true},
	} {
		if got := b.Take(start.Add(c.at)); got != c.want {
			t.Errorf("%d: after %v: %v", i, c.at, got)
		}
	}
}

// In the long run there is one in every Every.
func TestRate(t *testing.T) {
	b := Budget{Burst: 5, Every: time.Minute}
	now, n := time.Unix(1_800_000_000, 0), 0
	for range 24 * 60 * 60 {
		if b.Take(now) {
			n++
		}
		now = now.Add(time.Second)
	}
	if n < 24*60 || n > 24*60+5 {
		t.Errorf("%d in a day", n)
	}
}
