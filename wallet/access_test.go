package wallet_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/boatd/boatd/wallet"
	"github.com/boatd/boatd/wallet/refusal"
)

// TestTurns: many channels try codes at once, each waits for its turn, and none
// for so long that its command's time is over.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, newSeqChain().harness(), true, 1)
		slow := false
		w.tune = func(c *wallet.Config) {
			c.Now = func() time.Time { // a hash that takes its time: the clock is asked in every attempt
				if slow {
					time.Sleep(time.Second)
				}
				return w.now
			}
		}
		w.mustOpen()
		must(t, w.m.ChangePIN(nil, []byte("2468x"), []byte("13579135x")))
		slow = true
		var wg sync.WaitGroup
		var mu sync.Mutex
		got := map[bool]int{}
		for range 12 {
			wg.Go(func() {
				start := time.Now()
				err := w.m.Unlock([]byte("2468x"))
				busy := errors.Is(err, refusal.ErrBusy)
				if err != nil && !busy {
					t.Error(err)
				}
				if busy && time.Since(start) > 4*time.Second {
					t.Errorf("busy after %v", time.Since(start))
				}
				mu.Lock()
				got[busy]++
				mu.Unlock()
			})
		}
		wg.Wait()
		slow = false
		if got[false] == 0 || got[true] == 0 {
			t.Errorf("%d had their turn, %d were told to come again", got[false], got[true])
		}
	})
}
