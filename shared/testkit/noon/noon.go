// Package noon finds where it is about noon, when people may be asked, so that
// what asks them can be tried at any time.
package noon

import (
	"fmt"
	"time"
)

// Zone returns the name of a time zone in which it is between 12 and 13 o'clock.
func Zone(at time.Time) string {
	// Hours ahead of UTC, -11 to 12, have the other sign in Etc's names.
	return fmt.Sprintf("Etc/GMT%+d", at.UTC().Hour()-12)
}
