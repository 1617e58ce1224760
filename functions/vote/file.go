package vote

import (
	"context"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
	"github.com/pulssi/pulssi/shared/web"
)

// file answers GET of a file of the popup, compressed where the client takes
// that. Pages of every origin may load it.
func file(ctx context.Context, r *apigw.Request) apigw.Response {
	f, ok := web.Widget(r.Path("file"))
	if !ok {
		return apigw.Error(ctx, r, survey.Errorf(survey.NotFound, "file", "there is no such file"))
	}
	return apigw.File(r, f).Set("access-control-allow-origin", "*").Set("cross-origin-resource-policy", "cross-origin")
}
