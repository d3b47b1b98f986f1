package dashboard

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"time"
)

// sampleMinutes is how long the sample is, and sampleEnd the time after its last minute.
const sampleMinutes = 180

var sampleEnd = time.Date(2026, time.November, 24, 15, 0, 0, 0, time.UTC)

// sample is made-up data of a stack for three hours: some 25 signups a minute,
// and from minute 80 on a quarter of an hour in which Exotel hardly answers. What
// comes then waits, and is finished by the reconciler once Exotel is well again.
// The same is made of the same names every time.
type sample struct {
	metrics map[string]func(minute int) float64 // by function (or what else the dimensions are) and name
	order   []string
}

// newSample makes the sample of a stack whose functions have these names.
func newSample(webhook, reconciler string) *sample {
	s := &sample{metrics: map[string]func(int) float64{}}
	d := run()
	s.signups(webhook, reconciler, d)
	s.vendor(webhook, reconciler, d)
	s.functions(webhook, reconciler, d)
	s.around(d)
	return s
}

func (s *sample) add(key string, value func(minute int) float64) {
	s.metrics[key] = value
	s.order = append(s.order, key)
}

// count adds a metric that isn't written when it is zero.
func (s *sample) count(key string, value func(minute int) float64) {
	s.add(key, func(minute int) float64 {
		if v := value(minute); v > 0 {
			return v
		}
		return missing
	})
}

// day is what became of the signups, minute by minute.
type day struct {
	trouble                                        [sampleMinutes]float64 // 0 to 1: how little Exotel answers
	arrived, created, deferred, finished, replayed [sampleMinutes]float64
	pending, oldest                                [sampleMinutes]float64
}

func run() (d day) {
	var queue []int // the minutes in which what is unfinished arrived
	for i := range sampleMinutes {
		d.trouble[i] = min(1, max(0, min(float64(i-79)/3, float64(96-i)/3)))
		d.arrived[i] = math.Round(25 + 6*math.Sin(float64(i)/31) + 9*(noise("arrived", i)-0.5))
		d.replayed[i] = math.Round(d.arrived[i] * 0.12 * noise("replayed", i))
		d.deferred[i] = math.Round((d.arrived[i] - d.replayed[i]) * max(0.8*d.trouble[i], 0.024*noise("deferred", i)))
		d.created[i] = d.arrived[i] - d.replayed[i] - d.deferred[i]

		d.finished[i] = math.Round(min(float64(len(queue)), 60*max(0, 1-d.trouble[i])))
		queue = queue[int(d.finished[i]):]
		for range int(d.deferred[i]) {
			queue = append(queue, i)
		}
		if d.pending[i] = float64(len(queue)); len(queue) > 0 {
			d.oldest[i] = float64(60*(i-queue[0])) + 40
		}
	}
	return d
}

func (s *sample) signups(webhook, reconciler string, d day) {
	for outcome, of := range map[string]func(int) float64{
		"created":  at(d.created),
		"pending":  at(d.deferred),
		"replayed": at(d.replayed),
	} {
		s.count(webhook+"/"+outcome+"/Signups", of)
	}
	s.count(reconciler+"/created/Signups", func(i int) float64 { return d.finished[i] - adopted(d, i) })
	s.count(reconciler+"/adopted/Signups", func(i int) float64 { return adopted(d, i) })
	shares := map[string]float64{"hubspot": 0.42, "api": 0.3, "salesforce-flow": 0.17, "stripe": 0.11}
	for source, share := range shares {
		s.count(webhook+"/"+source+"/Signups", func(i int) float64 { return math.Round(d.arrived[i] * share * (0.7 + 0.6*noise(source, i))) })
	}
	s.add(reconciler+"/PendingSignups", at(d.pending))
	s.add(reconciler+"/StuckSignups", never)
	s.add(reconciler+"/OldestPendingSignup", at(d.oldest))
	slices.Sort(s.order)
}

// adopted are those that the reconciler finishes whose trunk was made by a call
// that nobody had an answer to.
func adopted(d day, i int) float64 { return math.Round(d.finished[i] * 0.2) }

func (s *sample) vendor(webhook, reconciler string, d day) {
	probes := func(i int) float64 { return math.Round(4 * d.trouble[i]) }
	s.count(webhook+"/VendorCalls", func(i int) float64 { return d.created[i] + d.deferred[i] })
	s.count(reconciler+"/VendorCalls", func(i int) float64 { return 2*d.finished[i] + probes(i) })
	s.count(webhook+"/VendorErrors", at(d.deferred))
	s.count(reconciler+"/VendorErrors", probes)
	s.count(webhook+"/UnknownOutcomes", func(i int) float64 { return math.Round(0.3 * d.deferred[i]) })
	s.count(reconciler+"/UnknownOutcomes", func(i int) float64 { return math.Round(0.3 * probes(i)) })
	s.count(webhook+"/VendorThrottled", never)
	s.count(reconciler+"/VendorThrottled", func(i int) float64 { return once(i == 97, 2) })
	s.count(webhook+"/VendorUnauthorized", func(i int) float64 { return once(i == 21, 1) }) // a rotation
	s.count(reconciler+"/VendorUnauthorized", func(i int) float64 { return once(i == 21, 1) })
	s.count(webhook+"/CreatesRefused", never)
	s.count(reconciler+"/CreatesRefused", never)
	s.count(webhook+"/BudgetWaits", never)
	s.count(reconciler+"/BudgetWaits", func(i int) float64 { return once(d.finished[i] >= 60, 5) })
	for function, wait := range map[string]float64{webhook: 3400, reconciler: 9500} {
		s.add(function+"/VendorLatency/p50", func(i int) float64 { return 210 + 40*noise(function, i) + 0.6*wait*d.trouble[i] })
		s.add(function+"/VendorLatency/p99", func(i int) float64 { return 560 + 260*noise(function+"99", i) + (wait-700)*d.trouble[i] })
	}
}

func (s *sample) functions(webhook, reconciler string, d day) {
	for key, more := range map[string]float64{webhook + "/RequestDuration": 0, webhook + "/Duration": 9, "Api/Latency": 60} {
		s.add(key+"/p50", func(i int) float64 { return 245 + more + 40*noise("p50", i) + 2600*d.trouble[i] })
		s.add(key+"/p99", func(i int) float64 { return 640 + 3*more + 260*noise("p99", i) + 3100*d.trouble[i] })
	}
	s.add(webhook+"/Duration/Sum", func(i int) float64 { return d.arrived[i] * (260 + 2500*d.trouble[i]) })
	s.add(reconciler+"/Duration/Sum", func(i int) float64 { return 60 + 300*d.finished[i] + 30000*d.trouble[i] })
	s.add(webhook+"/Invocations", at(d.arrived))
	s.add(reconciler+"/Invocations", func(int) float64 { return 1 })
	for _, function := range []string{webhook, reconciler} {
		s.add(function+"/Errors", never)
		s.add(function+"/Throttles", never)
	}
	s.count(webhook+"/DestinationDeliveryFailures", never)
	s.count(webhook+"/NotTaken", never)
	s.count(webhook+"/ColdStarts", func(i int) float64 { return math.Floor(1.3*noise("cold", i)) + math.Round(3*rise(d, i)) })
	s.add(webhook+"/ConcurrentExecutions", func(i int) float64 { return 1 + math.Round(noise("at once", i)+4*d.trouble[i]) })
	s.count(webhook+"/BadSignatures", func(i int) float64 { return once(i >= 168, math.Round(3*noise("bad", i))) })
	s.count(webhook+"/UnusableEvents", func(i int) float64 { return once(i == 139 || i == 151, 1) })
}

// rise is by how much less Exotel answers than a minute before.
func rise(d day, i int) float64 { return max(0, d.trouble[i]-d.trouble[max(0, i-1)]) }

// around are the parts that functions stand between.
func (s *sample) around(d day) {
	bad := func(i int) float64 { return once(i >= 168, math.Round(3*noise("bad", i))) }
	s.add("Api/Count", func(i int) float64 { return d.arrived[i] + bad(i) })
	s.add("Api/4xx", bad)
	s.add("Api/5xx", never)
	s.add("SignupsTable/ConsumedWriteCapacityUnits", func(i int) float64 { return 3*d.arrived[i] + 4*d.finished[i] })
	s.add("SignupsTable/ConsumedReadCapacityUnits", func(i int) float64 { return 6 + 2*d.finished[i] })
	s.add("SignupsTable/due/ConsumedWriteCapacityUnits", func(i int) float64 { return 2*d.created[i] + d.deferred[i] + d.finished[i] })
	s.add("SignupsTable/due/ConsumedReadCapacityUnits", func(i int) float64 { return 2 + math.Round(d.pending[i]/8) })
	s.count("SignupsTable/WriteThrottleEvents", never)
	s.count("SignupsTable/ReadThrottleEvents", never)
	s.add("WebhookLogs/IncomingBytes", func(i int) float64 { return 1400 * d.arrived[i] })
	s.add("ReconcilerLogs/IncomingBytes", func(i int) float64 { return 900 + 1300*d.finished[i] })
	s.add("UntakenEvents/ApproximateNumberOfMessagesVisible", never)
	s.add("ScheduleDeadLetters/ApproximateNumberOfMessagesVisible", never)
	s.add("EventsOutDeadLetters/ApproximateNumberOfMessagesVisible", never)
	s.count("EventsOut/ExecutionFailed", never)
	s.count("EventsOut/ExecutionPartiallyFailed", never)
	s.count("trunkhook-prod-Alarms", func(i int) float64 { return once(i == 139 || i == 151, 1) })
}

// sampleLines are the log lines of the sample that have an alarm, as its log
// widget shows them: those of the two events that couldn't be used.
var sampleLines = []map[string]string{
	{"@timestamp": "2026-11-24 14:31:22", "alarm": "unusable_event", "outcome": "unusable", "error": "properties.company: it is empty"},
	{"@timestamp": "2026-11-24 14:19:07", "alarm": "unusable_event", "outcome": "unusable", "error": "properties.company: it is empty"},
}

// Data adds the minutes up to periods, as the statistic wants it.
func (s *sample) Data(m Metric) ([]float64, error) {
	minute, known := s.metrics[key(m)]
	if !known {
		if minute, known = s.metrics[key(m)+"/"+m.Stat]; !known {
			return nil, fmt.Errorf("the sample has no %s %s of %v", m.Stat, m.Name, m.Dimensions)
		}
	}
	size := m.Period / 60
	if size < 1 || sampleMinutes%size != 0 {
		return nil, fmt.Errorf("%s: the sample can't be cut into periods of %d s", m.Name, m.Period)
	}
	values := make([]float64, sampleMinutes/size)
	for i := range values {
		values[i] = missing
		for j := i * size; j < (i+1)*size; j++ {
			values[i] = together(m.Stat, values[i], minute(j))
		}
	}
	return values, nil
}

// together is what two minutes make: their sum, or the larger one. A percentile of
// both isn't known, but not larger than the larger one's.
func together(stat string, a, b float64) float64 {
	switch {
	case math.IsNaN(a):
		return b
	case math.IsNaN(b):
		return a
	case stat == "Sum":
		return a + b
	}
	return max(a, b)
}

// key is the values of the dimensions, and the name.
func key(m Metric) string {
	var parts []string
	for _, d := range m.Dimensions {
		parts = append(parts, d.Value)
	}
	return strings.Join(append(parts, m.Name), "/")
}

// Find looks through what has a function and one more dimension.
func (s *sample) Find(namespace, name string, dimensions []string) (found []Metric, err error) {
	for _, key := range s.order {
		parts := strings.Split(key, "/")
		if len(parts) != 3 || parts[2] != name || len(dimensions) != 2 || slices.Contains(sampleSources, parts[1]) != (dimensions[1] == "Source") {
			continue
		}
		found = append(found, Metric{Namespace: namespace, Name: name, Dimensions: []Dimension{{dimensions[0], parts[0]}, {dimensions[1], parts[1]}}})
	}
	return found, nil
}

var sampleSources = []string{"api", "hubspot", "salesforce-flow", "stripe"}

func at(values [sampleMinutes]float64) func(int) float64 {
	return func(i int) float64 { return values[i] }
}

func never(int) float64 { return 0 }

func once(is bool, value float64) float64 {
	if is {
		return value
	}
	return 0
}

// noise is between 0 and 1, and depends on nothing but its arguments.
func noise(name string, i int) float64 {
	hash := fnv.New64a()
	fmt.Fprintf(hash, "%s %d", name, i)
	x := hash.Sum64()
	x ^= x >> 31 // the last bytes reach the upper bits only so
	x *= 0x9e3779b97f4a7c15
	return float64(x>>40) / (1 << 24)
}
