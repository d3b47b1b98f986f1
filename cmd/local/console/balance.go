package console

import "github.com/trunkhook/trunkhook/provision"

// balance is the promise in numbers: each trunk at Exotel has its signup, and each
// signup its trunk, but for what is still between them.
type balance struct {
	Trunks     int
	Known      bool // the trunks are: of a real account nobody asks
	Active     int  // incomplete ones too: their trunk is there
	Incomplete int
	Pending    int
	Deleting   int
}

// State names what the numbers say.
func (b balance) State() string {
	switch {
	case !b.Known:
		return "unknown"
	case b.Trunks == b.Active && b.Pending+b.Deleting == 0:
		return "equal"
	case b.Trunks >= b.Active && b.Trunks <= b.Active+b.Pending+b.Deleting:
		return "between"
	}
	return "differ"
}

// looks is how often the numbers are read again, so that both are of one moment.
const looks = 3

func (c *Console) balance() (b balance) {
	for range looks {
		counts, before := c.Signups.Counts()
		b = balance{
			Active: counts[provision.StatusActive] + counts[provision.StatusIncomplete], Incomplete: counts[provision.StatusIncomplete],
			Pending: counts[provision.StatusPending], Deleting: counts[provision.StatusDeleting],
		}
		if c.Fake == nil {
			return b
		}
		b.Trunks, b.Known = c.Fake.TrunkCount(), true
		if _, after := c.Signups.Counts(); after == before {
			break
		}
	}
	return b
}
