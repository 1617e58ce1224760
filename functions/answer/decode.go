package answer

import (
	"net/url"

	"github.com/pulssi/pulssi/shared/apigw"
	"github.com/pulssi/pulssi/shared/survey"
)

const (
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

// decode reads an answer to an ask from a body of either type. A form comes
// from a person who pressed its button, unless it says otherwise; a program
// has to say what it is. Whether the score is on the scale is for the ask to
// say.
func decode(r *apigw.Request) (survey.Answer, error) {
	var in survey.Answer
	var err error
	switch r.ContentType() {
	case typeJSON:
		in, err = decodeJSON(r)
	case typeForm:
		in, err = decodeForm(r)
	default:
		return in, survey.Errorf(survey.UnsupportedType, "content-type", "content-type must be %s or %s", typeJSON, typeForm)
	}
	if err != nil {
		return in, err
	}
	switch {
	case in.Via != survey.Auto && in.Via != survey.ViaHuman:
		return in, survey.Errorf(survey.Invalid, "via", "via must be %s or %s", survey.Auto, survey.ViaHuman)
	case in.Comment == nil:
		return in, nil
	case in.Via != survey.ViaHuman:
		return in, survey.Errorf(survey.Invalid, "comment", "comment must come with via %s", survey.ViaHuman)
	}
	*in.Comment, err = survey.CleanComment(*in.Comment)
	return in, err
}

func decodeJSON(r *apigw.Request) (survey.Answer, error) {
	b, err := r.Bytes()
	if err != nil {
		return survey.Answer{}, err
	}
	var in struct {
		Score   *apigw.Score `json:"score"`
		Comment *string      `json:"comment"`
		Via     survey.Via   `json:"via"`
	}
	if err := apigw.DecodeJSON(b, &in); err != nil {
		return survey.Answer{}, err
	}
	if in.Score == nil {
		return survey.Answer{}, apigw.NoScore()
	}
	return survey.Answer{Score: int(*in.Score), Comment: in.Comment, Via: in.Via}, nil
}

func decodeForm(r *apigw.Request) (survey.Answer, error) {
	form, err := r.Form("score", "comment", "via")
	if err != nil {
		return survey.Answer{}, err
	}
	in := survey.Answer{Comment: optional(form, "comment"), Via: survey.ViaHuman}
	if form.Has("via") {
		in.Via = survey.Via(form.Get("via"))
	}
	in.Score, err = score(form)
	return in, err
}

// decodeVote reads the form of a public link. It holds no rule but that there
// is a score: the others are [survey.Vote.Check]'s.
func decodeVote(r *apigw.Request) (survey.Vote, error) {
	if r.ContentType() != typeForm {
		return survey.Vote{}, survey.Errorf(survey.UnsupportedType, "content-type", "content-type must be %s", typeForm)
	}
	form, err := r.Form("id", "score", "comment", "locale", "ref")
	if err != nil {
		return survey.Vote{}, err
	}
	v := survey.Vote{
		ID: form.Get("id"), Comment: optional(form, "comment"), Channel: survey.Link,
		Locale: form.Get("locale"), Ref: form.Get("ref"),
	}
	v.Score, err = score(form)
	return v, err
}

func score(form url.Values) (int, error) {
	if form.Get("score") == "" {
		return 0, apigw.NoScore()
	}
	return apigw.ParseScore(form.Get("score"))
}

func optional(form url.Values, field string) *string {
	if !form.Has(field) {
		return nil
	}
	s := form.Get(field)
	return &s
}
