package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/trunkhook/trunkhook/exotel/exoteltest"
)

// breaking is the page of what can be broken.
type breaking struct {
	Once    []flip
	Lasting []flip
	Speeds  []speed
	Sent    sending // the last one; its Times are 0 where there is none
	Rows    []Row   // the newest signups
}

// flip is a switch.
type flip struct {
	Name  string // of the form
	Title string
	What  string // what it does, and what follows
	On    bool
}

// speed is a choice of durations.
type speed struct {
	Name, Title string
	Choices     []choice
}

type choice struct {
	Value string
	Label string
	On    bool
}

// lag is how long the fake hides a trunk from its list.
const lag = 15 * time.Second

// once are the faults of the next create, by their names.
var once = []struct {
	flip
	fault exoteltest.Fault
}{
	{flip{Name: "lose", Title: "Lose the next answer", What: "The trunk is made; the answer never arrives. The next try is told “duplicate”, finds the trunk by its name, and adopts it."}, exoteltest.LoseAnswer},
	{flip{Name: "hang", Title: "Time out", What: "Exotel takes the request and does nothing, for as long as somebody waits. The sender is answered 202 in time; the trunk is made later."}, exoteltest.Hang},
	{flip{Name: "500", Title: "500 after creating", What: "The trunk is made, and Exotel says 500 all the same. Who believed that would lose it, or make a second one."}, exoteltest.FailAfter(http.StatusInternalServerError)},
	{flip{Name: "429", Title: "429, retry after 5 s", What: "Over the limit. Nothing is made, and nobody calls for 5 s: the budget is shut for all."}, exoteltest.RateLimit("5")},
}

// recent is how many signups the page shows.
const recent = 5

func (c *Console) breakPage(w http.ResponseWriter, r *http.Request) {
	b := breaking{Speeds: c.speeds()}
	if c.Fake != nil {
		for _, o := range once {
			o.On = c.isQueued(o.Name)
			b.Once = append(b.Once, o.flip)
		}
		b.Once = append(b.Once, flip{
			Name: "kill", Title: "Kill the worker after the create", On: c.Outage.KillsNext(),
			What: "Exotel has made the trunk, and the process dies before it writes that down: no record, no answer, no log line. Its lease runs out after 12 s, and the reconciler adopts the trunk.",
		})
		b.Lasting = []flip{
			{Name: "secret", Title: "Wrong secret", On: c.isWrong.Load(), What: "Exotel refuses the credentials, 401. Signups stay pending, with an alarm in the log, and finish once it is right again."},
			{Name: "lag", Title: "List lag", On: c.lags.Load(), What: "A new trunk doesn't show in Exotel's list for 15 s. With a lost answer it can't be found until then; it is still not made twice."},
			{Name: "down", Title: "Table down", On: c.Outage.Down(), What: "Nothing can be read or written. Senders are told 503, because nothing is on disk; they send again. This page shows what it knew."},
		}
	}
	b.Sent, _ = c.sendings.newest()
	b.Rows, _ = c.Signups.Page(Filter{}, 0, recent)
	c.show(w, r, "break", "Break it", b)
}

// isQueued tells whether the last fault that was asked for still waits for a create.
func (c *Console) isQueued(name string) bool {
	queued, _ := c.queued.Load().(string)
	return queued == name && c.Fake.Waiting(exoteltest.Create) > 0
}

func (c *Console) flip(w http.ResponseWriter, r *http.Request) {
	if c.Fake == nil {
		http.Error(w, "a real account is not broken from here", http.StatusForbidden)
		return
	}
	on := r.PostFormValue("on") == "true"
	switch name := r.PostFormValue("switch"); name {
	case "kill":
		c.Outage.KillNext(on)
	case "down":
		c.Outage.SetDown(on)
	case "lag":
		c.lags.Store(on)
		c.Fake.SetListLag(map[bool]time.Duration{true: lag}[on])
	case "secret":
		c.setWrong(on)
	case "latency", "pass":
		c.setSpeed(name, r.PostFormValue("value"))
	case "off":
		c.calm()
	default:
		c.queue(name, on)
	}
	c.Bell.Ring()
	http.Redirect(w, r, "/console/break", http.StatusSeeOther)
}

// queue replaces the fault of the next create.
func (c *Console) queue(name string, on bool) {
	for _, o := range once {
		if o.Name == name {
			c.Fake.Calm()
			if c.queued.Store(name); on {
				c.Fake.Inject(exoteltest.Create, o.fault)
			}
		}
	}
}

func (c *Console) setWrong(wrong bool) {
	c.isWrong.Store(wrong)
	key, token := exoteltest.DefaultAPIKey, exoteltest.DefaultAPIToken
	if wrong {
		key, token = "another-key", "another-token"
	}
	c.Fake.SetCredentials(key, token)
}

// calm puts all back as it was at the start, but the speeds.
func (c *Console) calm() {
	c.Fake.Calm()
	c.Fake.SetListLag(0)
	c.lags.Store(false)
	c.setWrong(false)
	c.Outage.KillNext(false)
	c.Outage.SetDown(false)
}

var (
	latencies = []time.Duration{0, 300 * time.Millisecond, time.Second, 3 * time.Second}
	passes    = []time.Duration{500 * time.Millisecond, 2 * time.Second, 10 * time.Second, time.Minute}
)

func (c *Console) speeds() []speed {
	speeds := []speed{choose("pass", "The reconciler passes every", passes, c.Pace.Every())}
	if c.Fake != nil {
		speeds = append(speeds, choose("latency", "Exotel takes for each call", latencies, time.Duration(c.latency.Load())))
	}
	return speeds
}

func choose(name, title string, durations []time.Duration, now time.Duration) speed {
	s := speed{Name: name, Title: title}
	for i, d := range durations {
		s.Choices = append(s.Choices, choice{Value: strconv.Itoa(i), Label: rough(d), On: d == now})
	}
	return s
}

// rough is a duration in one unit.
func rough(d time.Duration) string {
	switch {
	case d == 0:
		return "no time"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	}
	return strconv.Itoa(int(d.Minutes())) + " min"
}

func (c *Console) setSpeed(name, value string) {
	durations := map[string][]time.Duration{"latency": latencies, "pass": passes}[name]
	i, err := strconv.Atoi(value)
	switch {
	case err != nil || i < 0 || i >= len(durations):
	case name == "pass":
		c.Pace.Set(durations[i])
	default:
		c.latency.Store(int64(durations[i]))
		c.Fake.SetLatency(durations[i])
	}
}
