package simulation_test

import "time"

// What no client of this API can exclude is bounded here: a process may stand still
// between its look at the clock and what it sends, the vendor may process a request
// whenever it likes, and its list may lag for ever. So may clocks.
//
// Trunks, numbers and addresses are the vendor's to keep unique, so that little
// bounds them. A destination or a credential that was sent once too often is there
// twice. It isn't sent again for settlingTime, which the engine has at 3 min from
// its mark, by the clock of whoever looks. At the worst these add up:
//
//	10 s  from the mark to the look at the clock before the send
//	40 s  standing still between that look and the send
//	60 s  until the vendor has processed it
//	 5 s  until the vendor lists it
//	60 s  between a clock that is 30 s ahead and one that is 30 s behind
//	====
//	175 s
const (
	maxFreeze = 40 * time.Second
	maxSkew   = 30 * time.Second

	maxLate         = 20 * time.Minute // of what the vendor keeps unique
	maxLateDoubling = time.Minute      // of destinations and credentials

	// Lists of trunks lag by up to 10 minutes (plan.listLag). What the vendor says is
	// there, and the list of its trunk doesn't show for 10 minutes, is taken for
	// another trunk's; that runs from the first time, which may have been a false one
	// while the faults last (4 minutes), and on two clocks.
	// A deleted signup's name is watched for quietTime, which the engine has at 30 min.
	// A create that is processed late is bounded below that, with what else adds up:
	//
	//	 1 min  from the deletion to the end of the longest lease here
	//	40 s    standing still between the look at it and the send
	//	20 min  until the vendor has processed it
	//	 4 min  until the vendor lists it
	//	 1 min  between a clock that is 30 s ahead and one that is 30 s behind
	//	====
	//	26 min 40 s
	maxLagDeleted = 4 * time.Minute

	maxLag         = 4 * time.Minute // of numbers and addresses
	maxLagDoubling = 5 * time.Second // of destinations and credentials
)
