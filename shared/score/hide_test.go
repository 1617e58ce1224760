package score

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestHide(t *testing.T) {
	tests := []struct {
		name   string
		sizes  []int64
		rest   int64
		hidden []int // by place
		ok     bool
	}{
		{"nothing small", []int64{5, 20, 0}, 0, nil, true},
		{"nothing at all", nil, 0, nil, true},
		{"no answers", []int64{0, 0}, 0, nil, true},
		{"one small: the next larger too", []int64{20, 3, 9, 0}, 0, []int{1, 2}, true},
		{"those of its size with it", []int64{9, 3, 9, 20}, 0, []int{0, 1, 2}, true},
		{"two small, five together", []int64{2, 3, 20}, 0, []int{0, 1}, true},
		{"two small, four together", []int64{2, 2, 20}, 0, []int{0, 1, 2}, true},
		{"all as large as they can be", []int64{4, 4, 30, 20}, 0, []int{0, 1, 3}, true},
		{"all as small as they can be", []int64{1, 1, 1, 1, 1, 20}, 0, []int{0, 1, 2, 3, 4, 5}, true},
		{"one part, small", []int64{3}, 0, []int{0}, false},
		{"all small, six together", []int64{2, 3, 1}, 0, []int{0, 1, 2}, true},
		{"all small, each of four", []int64{4, 4}, 0, []int{0, 1}, false},
		{"one small beside a rest", []int64{3, 20}, 2, []int{0}, true},
		{"one small beside a small rest", []int64{3, 20}, 1, []int{0, 1}, true},
		{"a small rest", []int64{20, 30}, 4, []int{0}, true},
		{"a rest of five", []int64{20, 30}, 5, nil, true},
		{"a small rest of nothing else", []int64{0}, 4, nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			hidden, ok := Hide(tt.sizes, tt.rest)
			var got []int
			for i, h := range hidden {
				if h {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, tt.hidden) || ok != tt.ok {
				t.Errorf("hidden %v, %v; want %v, %v", got, ok, tt.hidden, tt.ok)
			}
		})
	}
}

// view is what somebody sees of parts: what is told, and the sum.
func view(sizes []int64, rest int64) string {
	hidden, ok := Hide(sizes, rest)
	if sum := total(sizes) + rest; !ok || Small(sum) {
		return "nothing"
	}
	seen := fmt.Sprint(total(sizes)+rest, ":")
	for i, n := range sizes {
		if hidden[i] {
			seen += " ?"
		} else {
			seen += fmt.Sprint(" ", n)
		}
	}
	return seen
}

func total(sizes []int64) (sum int64) {
	for _, n := range sizes {
		sum += n
	}
	return sum
}

// TestNothingHiddenCanBeWorkedOut draws small parts, and has somebody who knows
// the rules try every table there could be: what looks the same must leave more
// than one size open for each part of 1 to 4 answers, and the answers that can
// be told apart by subtraction must be none, or five.
func TestNothingHiddenCanBeWorkedOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int64{0, 1, 1, 2, 3, 4, 4, 5, 6, 7}), 1, 5).Draw(t, "sizes")
		hasRest := rapid.Bool().Draw(t, "rest is possible")
		var rest int64
		if hasRest {
			rest = rapid.Int64Range(0, 6).Draw(t, "rest")
		}
		seen := view(sizes, rest)
		if seen == "nothing" {
			return
		}
		hidden, _ := Hide(sizes, rest)
		unknown := rest
		var places []int
		for i, h := range hidden {
			if Small(sizes[i]) && !h {
				t.Fatalf("%v: a part of %d is told", sizes, sizes[i])
			}
			if h {
				unknown += sizes[i]
				places = append(places, i)
			}
		}
		if Small(unknown) {
			t.Fatalf("%v, rest %d: %s leaves %d answers", sizes, rest, seen, unknown)
		}
		open := make([]map[int64]bool, len(sizes)+1) // the rest comes last
		for i := range open {
			open[i] = map[int64]bool{}
		}
		guess := slices.Clone(sizes)
		var try func(place int, left int64)
		try = func(place int, left int64) {
			if place < len(places) {
				for n := range left + 1 {
					guess[places[place]] = n
					try(place+1, left-n)
				}
				return
			}
			if left > 0 && !hasRest || view(guess, left) != seen {
				return
			}
			for _, i := range places {
				open[i][guess[i]] = true
			}
			open[len(sizes)][left] = true
		}
		try(0, unknown)
		for _, i := range places {
			if Small(sizes[i]) && len(open[i]) < 2 {
				t.Fatalf("%v, rest %d: %s leaves only %v for part %d", sizes, rest, seen, open[i], i)
			}
		}
		if Small(rest) && len(open[len(sizes)]) < 2 {
			t.Fatalf("%v, rest %d: %s leaves only %v for the rest", sizes, rest, seen, open[len(sizes)])
		}
	})
}
