package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/pulssi/pulssi/shared/score"
	"github.com/pulssi/pulssi/shared/survey"
)

// How often the pages call a change real: in histories in which nothing has
// changed, and in those in which an NPS rose by 15 points. The seeds are fixed,
// so that the figures are the same in every run.
const (
	changeRounds      = 2000
	changeTouchpoints = 20
)

// company is how the answers of one metric fall, by score from 0.
type company struct {
	metric survey.Metric
	shares []float64
}

var companies = []company{
	{survey.NPS, []float64{.05, 0, .05, 0, 0, .05, .05, .15, .15, .2, .3}},
	{survey.CSAT, []float64{0, .1, .1, .1, .3, .4}},
	{survey.CES, []float64{0, .05, .05, .1, .1, .2, .3, .2}},
	{survey.CES5, []float64{0, .4, .3, .15, .1, .05}},
	{survey.Smiley, []float64{0, .1, .15, .35, .4}},
	{survey.Thumbs, []float64{.15, .85}},
}

// answers draws n answers.
func (c company) answers(rng *rand.Rand, n int) score.Tally {
	var t score.Tally
	for range n {
		u, s := rng.Float64(), 0
		for ; s < len(c.shares)-1 && u >= c.shares[s]; s++ {
			u -= c.shares[s]
		}
		t.Scores[s]++
	}
	return t
}

// changes measures how right "real change" is.
func changes(context.Context, *bench) ([]Row, error) {
	rng := rand.New(rand.NewPCG(20261121, 1))
	alarms, overviews := 0, 0
	for range changeRounds {
		var pairs []score.Pair
		for i := range changeTouchpoints {
			c := companies[i%len(companies)]
			pairs = append(pairs, score.Pair{Metric: c.metric, From: c.answers(rng, 30+rng.IntN(300)), To: c.answers(rng, 30+rng.IntN(300))})
		}
		before := alarms
		for _, d := range score.CompareAll(pairs) {
			if d != nil && d.Real {
				alarms++
			}
		}
		if alarms > before {
			overviews++
		}
	}
	each := 100 * float64(alarms) / (changeRounds * changeTouchpoints)
	whole := 100 * float64(overviews) / changeRounds

	// Half promoters and a fifth detractors, and then 15 points more.
	was := company{survey.NPS, []float64{.2, 0, 0, 0, 0, 0, 0, .3, 0, .5, 0}}
	is := company{survey.NPS, []float64{.125, 0, 0, 0, 0, 0, 0, .3, 0, .575, 0}}
	found := 0
	for range changeRounds {
		if d, ok := score.Compare(survey.NPS, was.answers(rng, 400), is.answers(rng, 400)); ok && d.Real && d.Change > 0 {
			found++
		}
	}
	power := 100 * float64(found) / changeRounds
	of := fmt.Sprintf("%d histories", changeRounds)
	return []Row{
		{
			What: "\"real change\" where nothing changed, of all comparisons", Measured: fmt.Sprintf("%.2f %%", each),
			Baseline: of + " of " + fmt.Sprint(changeTouchpoints) + " touchpoints", Budget: "5 %", Holds: each <= 5,
		},
		{
			What: "overviews in which any is called real though nothing changed", Measured: fmt.Sprintf("%.1f %%", whole),
			Baseline: of, Budget: "5 %, and 1 by luck", Holds: whole <= 6,
		},
		{
			What: "15 points of NPS found, 400 answers a side", Measured: fmt.Sprintf("%.1f %%", power),
			Baseline: of + "; 81.4 % by the formula", Budget: "80 %", Holds: power >= 80,
		},
	}, nil
}
