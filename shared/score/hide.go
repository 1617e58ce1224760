package score

// Hidden is the number of answers below which a figure is hidden from whoever
// has only a link, so that nobody can be picked out: figures of 1 to Hidden - 1
// answers. None at all is no secret.
const Hidden = 5

// Hide says which of some figures are hidden, where they are of parts that
// share no answer, and the sum of all is told beside them. sizes are the numbers
// of answers of the parts; rest is that of the answers in none of them, which
// are in the sum and of which nothing is told.
//
// Hidden are the parts of fewer than [Hidden] answers, and others where
// subtracting what is told from the sum would tell too much: the next larger
// ones, those of one size together. What is hidden is then
//
//   - of at least [Hidden] answers as a whole (or of none), as its figures can
//     be worked out by subtraction;
//   - of more than one possible size in each part, also for somebody who knows
//     these rules: a size of 1 to [Hidden] - 1 is never the only one that the
//     sum and everything else that is told leave open.
//
// This is complementary cell suppression (Hundepool and others, "Statistical
// Disclosure Control", Wiley, 2012, chapter 4) for one sum. ok is false where
// no choice of parts does it: then the sum must be hidden too, and every part.
func Hide(sizes []int64, rest int64) (hidden []bool, ok bool) {
	hidden = make([]bool, len(sizes))
	var sum, k int64 // of those that are too small
	larger := int64(0)
	for i, n := range sizes {
		switch {
		case 0 < n && n < Hidden:
			hidden[i] = true
			sum, k = sum+n, k+1
		case n >= Hidden && (larger == 0 || n < larger):
			larger = n
		}
	}
	if settled(sum, k, rest) {
		return hidden, true
	}
	if larger == 0 {
		return hidden, false
	}
	for i, n := range sizes {
		hidden[i] = hidden[i] || n == larger
	}
	return hidden, true
}

// settled reports whether k parts of 1 to Hidden - 1 answers each, sum together,
// can be hidden alone. With a rest, every part may be larger by what the rest
// is smaller. Without one, there must be two at least, and not all as small or
// all as large as they can be.
func settled(sum, k, rest int64) bool {
	if k == 0 {
		return rest == 0 || rest >= Hidden
	}
	if sum+rest < Hidden {
		return false
	}
	return rest > 0 || k >= 2 && k < sum && sum < k*(Hidden-1)
}

// Small reports whether a figure of n answers is hidden by itself.
func Small(n int64) bool { return 0 < n && n < Hidden }
