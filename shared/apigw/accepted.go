package apigw

import (
	"net/http"
	"time"

	"github.com/pulssi/pulssi/shared/survey"
)

// Accepted returns what a program is told of an answer or a vote that was
// taken: {"id","score","trust","editableUntil"}, as it stands then.
func Accepted(a *survey.Ask) Response {
	return JSON(http.StatusOK, struct {
		ID            string       `json:"id"`
		Score         int          `json:"score"`
		Trust         survey.Trust `json:"trust"`
		EditableUntil time.Time    `json:"editableUntil"`
	}{a.ID, a.Score, a.Trust, a.Open().UTC()})
}
