package score

import (
	"fmt"
	"math"
	"testing"
)

func near(t *testing.T, what string, got, want, within float64) {
	t.Helper()
	if !(math.Abs(got-want) <= within) {
		t.Errorf("%s = %.12g, want %.12g within %g", what, got, want, within)
	}
}

// The whole degrees of freedom up to 120 are in every printed table of
// Student's t to three decimals (12.706, 4.303, 3.182, ...). The further digits
// and the other rows were computed with mpmath at 30 digits.
func TestStudentQuantile(t *testing.T) {
	for _, c := range []struct{ df, want float64 }{
		{0.5, 164.5576734805},
		{1, 12.70620473617},
		{1.5, 6.016663104428},
		{2, 4.302652729749},
		{3, 3.182446305284},
		{4, 2.776445105198},
		{5, 2.570581835636},
		{9, 2.262157162798},
		{9.48, 2.244817049842},
		{10, 2.228138851986},
		{17.776, 2.10282131038},
		{20, 2.085963447266},
		{29, 2.045229642133},
		{30, 2.042272456301},
		{60, 2.000297822014},
		{100, 1.983971518524},
		{120, 1.979930405082},
		{1000, 1.962339080826},
		{1e5, 1.959987707535},
		{1e6, 1.959966356814},
		{1e9, z95},
	} {
		near(t, fmt.Sprintf("quantile(%g)", c.df), studentQuantile(c.df), c.want, 1e-6*max(1, c.want/10))
	}
}

func TestStudentTails(t *testing.T) {
	for _, c := range []struct{ t, df, want float64 }{
		{0, 3, 1},
		{1, 1, 0.5}, // Cauchy: the quartiles are -1 and 1
		{-1, 1, 0.5},
		{2, 1, 0.2951672353009},
		{1.8608, 17.776, 0.07939657813978},
		{2, 10, 0.07338803477074},
		{5, 3, 0.0153924380733},
		{0.1, 7, 0.9231480596048},
		{10, 50, 1.607733468834e-13},
		{3, 1e4, 0.002706448189998},
		{1e200, 3, 0},
	} {
		near(t, fmt.Sprintf("tails(%g, %g)", c.t, c.df), studentTails(c.t, c.df), c.want, 1e-10*c.want+1e-20)
	}
}

func TestNormalTails(t *testing.T) {
	near(t, "tails(z95)", normalTails(z95), 0.05, 1e-12)
	near(t, "tails(-z95)", normalTails(-z95), 0.05, 1e-12)
	near(t, "tails(0)", normalTails(0), 1, 0)
}
