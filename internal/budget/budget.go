// Package budget bounds how often something may be done: so often in a row, and
// once more in every so long. It is what keeps whoever may type from wearing the
// flash out.
package budget

import "time"

// A Budget allows Burst takes, and one more every Every. The zero time has all of
// them left. It is not safe for several goroutines at once.
type Budget struct {
	Burst int
	Every time.Duration

	used int
	at   time.Time // when used was counted
}

// Take says whether one more may be done now, and counts it.
func (b *Budget) Take(now time.Time) bool {
	if back := int(now.Sub(b.at) / b.Every); back > 0 || b.at.IsZero() {
		b.used = max(0, b.used-back)
		b.at = b.at.Add(time.Duration(back) * b.Every)
		if b.used == 0 {
			b.at = now
		}
	}
	if b.used >= b.Burst {
		return false
	}
	b.used++
	return true
}
