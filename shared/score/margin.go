package score

import "math"

// z95 is the 97.5 % quantile of the normal distribution, 1.96 to two decimals:
// 95 % of it lies within so many standard deviations.
const z95 = 1.959963984540054

// WaldMargin returns the margin of error of an NPS by the plain formula, in
// points: with p and d the shares of promoters and detractors among n answers
// and s = p - d, one answer varies by p + d - s², and the margin is
// z x sqrt((p + d - s²) / n) x 100, for 95 %. It is what textbooks give and what
// [Figure.Margin] comes to in large samples. For small or one-sided ones it is
// wrong (plus or minus 0 when everyone answered 10), so pages never show it.
func WaldMargin(p, d float64, n int64) float64 {
	s := p - d
	return 100 * z95 * math.Sqrt((p+d-s*s)/float64(n))
}

// Margin returns half the width of the 95 % interval before it is cut to the
// metric's range: the "plus or minus" beside the number. The interval is not
// centred on the number in small samples; where both ends matter, use
// [Figure.Interval]. False where there is none.
func (f Figure) Margin() (float64, bool) {
	_, half, ok := f.spread()
	return half, ok
}

// Interval returns the 95 % interval of the number, cut to the range that it
// can have. There is one rule for all samples, large or small:
//
//   - NPS: the adjusted Wald interval, with three imaginary answers, 3/4
//     promoter, 3/2 passive and 3/4 detractor (Rocks, "Interval Estimation for
//     the 'Net Promoter Score'", The American Statistician 70(4), 2016; taken
//     up by Sauro and Lewis, "Confidence Intervals for Net Promoter Scores",
//     MeasuringU);
//   - shares and rates: the Wilson score interval (Wilson, "Probable Inference,
//     the Law of Succession, and Statistical Inference", JASA 22, 1927);
//   - means: Student's t interval with n - 1 degrees of freedom.
//
// False where there is no answer, and for a mean where there is only one or
// all are the same: how much answers vary cannot be told from them, and
// "plus or minus 0" would be a claim of certainty.
func (f Figure) Interval() (low, high float64, ok bool) {
	center, half, ok := f.spread()
	if !ok {
		return 0, 0, false
	}
	return max(f.low, center-half), min(f.high, center+half), true
}

// spread returns the middle of the interval and half its width, uncut.
func (f Figure) spread() (center, half float64, ok bool) {
	if f.n <= 0 {
		return 0, 0, false
	}
	s := f.sample()
	switch f.kind {
	case net:
		s = s.plus(imaginaryNet)
		center, half = s.mean(), z95*math.Sqrt(s.variance()/s.n)
	case share:
		z2 := z95 * z95
		p := s.mean()
		center = (p + z2/(2*s.n)) / (1 + z2/s.n)
		half = z95 / (1 + z2/s.n) * math.Sqrt(p*(1-p)/s.n+z2/(4*s.n*s.n))
	case mean:
		if !f.varies() {
			return 0, 0, false
		}
		center, half = s.mean(), studentQuantile(s.n-1)*math.Sqrt(s.variance()/(s.n-1))
	}
	return f.scale() * center, f.scale() * half, true
}

// varies reports, exactly, whether the answers stand for more than one number.
// If they all stand for v, then sum = v x n and squares = v x sum, and only then.
func (f Figure) varies() bool { return f.sum%f.n != 0 || f.sum/f.n*f.sum != f.squares }

// scale is the unit of the figure, for what is computed in floats.
func (f Figure) scale() float64 { return float64(f.times) / float64(f.per) }

func (f Figure) sample() sample {
	return sample{float64(f.n), float64(f.sum), float64(f.squares)}
}

// sample is a number of values, real or imaginary, their sum and the sum of
// their squares.
type sample struct{ n, sum, squares float64 }

// imaginaryNet are three answers of an NPS: 3/4 promoter, 3/2 passive, 3/4
// detractor.
var imaginaryNet = sample{n: 3, sum: 0, squares: 1.5}

func (s sample) plus(t sample) sample {
	return sample{s.n + t.n, s.sum + t.sum, s.squares + t.squares}
}

func (s sample) mean() float64 { return s.sum / s.n }

// variance is the mean square of the distance from the mean. The variance of
// the mean itself is this by n, or by n - 1 where the mean is estimated from
// the same values.
func (s sample) variance() float64 {
	m := s.mean()
	return s.squares/s.n - m*m
}
