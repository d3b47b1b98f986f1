package simulation_test

// fault is something that goes wrong with one call.
type fault int

// The faults. A call to the table, to the vendor or to the store of secrets may
// meet those of its kind; any call may be its process's last, or freeze it.
const (
	noFault fault = iota

	tableFails       // an error, nothing done
	tableLosesAnswer // done, and an error
	tableSentTwice   // the SDK sends it again: done twice, the second answer counts
	tableStraggler   // a copy of the request arrives much later
	tableSlow        // done late, perhaps after the caller gave up
	queueLags        // the index doesn't show a signup yet

	noConnection   // not sent
	requestLost    // sent, never processed
	answerLost     // processed
	failsBefore    // 503, not processed
	failsAfter     // 503, processed
	refused        // 1002, not processed
	forbidden      // 403, not processed
	limited        // 429, not processed
	unauthorized   // 401, although the credentials are right
	falseDuplicate // 1008, although there is no such trunk or thing
	processedLate  // long after the caller gave up
	vendorSlow     // takes seconds
	listUnreadable // one entry of the page can't be read

	secretsDown         // Secrets Manager fails
	passwordsDown       // the store of passwords fails, nothing kept
	passwordsLoseAnswer // kept, and an error

	crashBefore  // the process is killed before the call
	crashAfter   // the process is killed after the call's effect
	freezeBefore // the process stands still before the call
	freezeAfter  // the process stands still after the call's effect

	faultKinds
)

var faultNames = [faultKinds]string{
	"none",
	"table fails", "table loses answer", "table request sent twice", "table request straggles", "table slow", "queue lags",
	"no connection", "request lost", "answer lost", "fails before", "fails after", "refused", "forbidden", "limited", "unauthorized",
	"false duplicate", "processed late", "vendor slow", "list unreadable",
	"secrets down", "passwords down", "passwords lose answer",
	"crash before", "crash after", "freeze before", "freeze after",
}

func (f fault) String() string { return faultNames[f] }

var (
	tableFaults    = []fault{tableFails, tableLosesAnswer, tableSentTwice, tableStraggler, tableSlow}
	createFaults   = []fault{noConnection, requestLost, answerLost, failsBefore, failsAfter, refused, forbidden, limited, unauthorized, falseDuplicate, processedLate, vendorSlow}
	changeFaults   = []fault{noConnection, requestLost, answerLost, failsBefore, failsAfter, refused, forbidden, limited, unauthorized, processedLate, vendorSlow}
	deleteFaults   = []fault{noConnection, requestLost, answerLost, failsBefore, failsAfter, limited, unauthorized, processedLate, vendorSlow}
	listFaults     = []fault{noConnection, requestLost, answerLost, failsBefore, limited, unauthorized, vendorSlow, listUnreadable}
	secretFaults   = []fault{secretsDown}
	passwordFaults = []fault{passwordsDown, passwordsLoseAnswer}
	fates          = []fault{crashBefore, crashAfter, freezeBefore, freezeAfter}
)

// rates are how likely each fault is. A schedule knows some faults, not all, so
// that what each leads to isn't drowned by the others.
type rates [faultKinds]float64

func drawRates(d *dice) (r rates) {
	for f := noFault + 1; f < crashBefore; f++ {
		if d.chance(0.35) {
			r[f] = pick(d, 0.03, 0.1, 0.3)
		}
	}
	for f := crashBefore; f < faultKinds; f++ {
		if d.chance(0.3) {
			r[f] = pick(d, 0.01, 0.03, 0.08)
		}
	}
	return r
}

// of draws one of the faults, or none.
func (r *rates) of(d *dice, faults []fault) fault {
	for _, f := range faults {
		if d.chance(r[f]) {
			return f
		}
	}
	return noFault
}
