package noon

import (
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	for hour := range 24 {
		// Whichever zone the time is told in.
		at := time.Date(2026, 11, 22, hour, 30, 0, 0, time.UTC).In(time.FixedZone("", 5*60*60+30*60))
		zone, err := time.LoadLocation(Zone(at))
		if err != nil {
			t.Fatal(err)
		}
		if got := at.In(zone).Hour(); got != 12 {
			t.Errorf("at %02d:30 UTC it is %02d:30 in %s", hour, got, zone)
		}
	}
}
