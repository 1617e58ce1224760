package score

import "math"

// studentQuantile returns the 97.5 % quantile of Student's t distribution with
// df > 0 degrees of freedom, whole or not (Welch): 95 % of the distribution lies
// between minus and plus it. It halves an interval on [studentTails] until
// floats have no number between its ends.
func studentQuantile(df float64) float64 {
	low, high := 0.0, 2.0
	for studentTails(high, df) > 0.05 {
		low, high = high, 2*high
	}
	for {
		mid := low + (high-low)/2
		if mid <= low || mid >= high {
			return mid
		}
		if studentTails(mid, df) > 0.05 {
			low = mid
		} else {
			high = mid
		}
	}
}

// studentTails returns the probability that Student's t with df degrees of
// freedom is at least |t| away from 0: I(df / (df + t²); df/2, 1/2) (Abramowitz
// and Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27).
func studentTails(t, df float64) float64 {
	return incompleteBeta(df/(df+t*t), t*t/(df+t*t), df/2, 0.5)
}

// normalTails returns the probability that a standard normal is at least |z|
// away from 0.
func normalTails(z float64) float64 { return math.Erfc(math.Abs(z) / math.Sqrt2) }

// incompleteBeta returns the regularized incomplete beta function I(x; a, b);
// y is 1 - x, which the caller has without cancellation. It uses the continued
// fraction of the NIST Digital Library of Mathematical Functions, 8.17.22,
// which converges fast for x < (a+1)/(a+b+2), and the symmetry 8.17.4 beyond.
func incompleteBeta(x, y, a, b float64) float64 {
	if x <= 0 {
		return 0
	}
	if y <= 0 {
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - incompleteBeta(y, x, b, a)
	}
	lab, _ := math.Lgamma(a + b)
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	front := math.Exp(lab-la-lb+a*math.Log(x)+b*math.Log(y)) / a
	return front * betaFraction(x, a, b)
}

// betaFraction evaluates the continued fraction 1/(1+ d1/(1+ d2/(1+ ...))) of
// DLMF 8.17.22 from the front by Lentz's method as Thompson and Barnett modified
// it (Journal of Computational Physics 64, 1986). The terms needed grow with
// the square root of a.
func betaFraction(x, a, b float64) float64 {
	const tiny = 1e-300 // stands for a denominator of zero
	awayFromZero := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	f, c, d := 1.0, 1.0, 0.0
	for j := 1.0; j < 1e6; j++ {
		m := math.Floor(j / 2)
		term := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		if j != 2*m {
			term = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		}
		d = 1 / awayFromZero(1+term*d)
		c = awayFromZero(1 + term/c)
		f *= c * d
		if math.Abs(c*d-1) < 1e-15 {
			break
		}
	}
	return 1 / f
}
