package intake

import (
	"testing"

	"github.com/pulssi/pulssi/shared/testkit"
	"github.com/pulssi/pulssi/shared/topology"
)

// TestAccessIsWhatIsUsed imports people, in a zone that is new too, and one who
// has another address then, and holds the calls to DynamoDB against those that
// the function is granted.
func TestAccessIsWhatIsUsed(t *testing.T) {
	access, s := testkit.NewAccess(testkit.NewTables(t))
	w := newWorld(t)
	w.Handler.Contacts = s
	if got, _ := w.upload("new", "ref,email,zone\n1,a@example.com,Europe/Stockholm\n2,b@example.com,\n"); got.Added != 2 {
		t.Errorf("%+v", got)
	}
	if got, _ := w.upload("changed", "ref,email\n1,c@example.com\n"); got.Changed != 1 {
		t.Errorf("%+v", got)
	}
	access.IsGranted(t, topology.Intake)
}
