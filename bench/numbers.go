package main

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"
)

// quantile is of a list that isn't empty, by the nearest rank.
func quantile[T cmp.Ordered](values []T, q float64) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
}

func median[T cmp.Ordered](values []T) T { return quantile(values, 0.5) }

// milliseconds has three digits that count.
func milliseconds(d time.Duration) string { return digits(float64(d) / float64(time.Millisecond)) }

func digits(x float64) string {
	switch {
	case x >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case x >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

func megabytes(bytes int64) string { return digits(float64(bytes) / 1e6) }
