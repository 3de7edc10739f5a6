package arrivals

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/brownout-dev/brownout/k6ext/client"
)

// A worker is hired only if all others are busy, and a request never waits for one.
func TestCrewHiresWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		hired, done := 0, 0
		start := time.Now()
		c := crew{
			todo: make(chan *client.Request),
			hire: func(work func()) { hired++; wg.Go(work) },
			do: func(req *client.Request) {
				assert.Equal(t, start.Add(req.Arrival.Due), time.Now(), "taken at once")
				time.Sleep(10 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				done++
			},
		}
		hand := func(n int) {
			for range n {
				req := &client.Request{}
				req.Arrival.Due = time.Since(start)
				c.hand(req)
			}
		}
		hand(3)
		time.Sleep(5 * time.Millisecond)
		hand(2)
		assert.Equal(t, 5, hired, "all were busy")
		for range 20 {
			time.Sleep(15 * time.Millisecond)
			synctest.Wait()
			hand(5)
		}
		assert.Equal(t, 5, hired, "all were free")
		c.dismiss()
		wg.Wait()
		assert.Equal(t, 105, done)
	})
}
