package simulation_test

import "time"

// dice draws what chance decides. What a throw is for decides how it falls (the
// seed, who asks, what for, how often before), so that it falls the same whatever
// else goes on at the same instant.
type dice struct{ state uint64 }

// throwFor returns the dice for a purpose.
func throwFor(seed uint64, purpose ...string) *dice {
	const prime = 1099511628211 // FNV-1a
	hash := scramble(seed + 14695981039346656037)
	for _, word := range purpose {
		for i := range len(word) {
			hash = (hash ^ uint64(word[i])) * prime
		}
		hash = (hash ^ 0xff) * prime
	}
	return &dice{hash}
}

// next is SplitMix64.
func (d *dice) next() uint64 {
	d.state += 0x9e3779b97f4a7c15
	return scramble(d.state)
}

func scramble(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

func (d *dice) chance(p float64) bool { return p > 0 && float64(d.next()>>11)/(1<<53) < p }

// between is to the nanosecond.
func (d *dice) between(from, to time.Duration) time.Duration {
	return from + time.Duration(d.next()%uint64(to-from))
}

func pick[T any](d *dice, choices ...T) T { return choices[d.below(len(choices))] }
