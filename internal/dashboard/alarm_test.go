package dashboard

import (
	"slices"
	"strings"
	"testing"
)

// given are a source of few metrics: function and name, and the values of the
// last periods. Of others there is no data.
type given map[string][]float64

const periods = 5

func (g given) Data(m Metric) ([]float64, error) {
	values := slices.Repeat([]float64{missing}, periods)
	last := g[key(m)]
	copy(values[periods-len(last):], last)
	return values, nil
}

func (given) Find(string, string, []string) ([]Metric, error) { return nil, nil }

func TestAlarmsGoOffWhenTheySayAndNotBefore(t *testing.T) {
	t.Parallel()
	const webhook, reconciler = "WebhookFunction/", "ReconcilerFunction/"
	always := func(value float64) []float64 { return slices.Repeat([]float64{value}, periods) }
	alive := given{reconciler + "OldestPendingSignup": always(0), reconciler + "StuckSignups": always(0)}
	for name, test := range map[string]struct {
		figures given
		off     []string
	}{
		"all is quiet":                               {alive, nil},
		"the reconciler doesn't run":                 {nil, []string{"PendingAlarm"}},
		"one pass in five is missing":                {given{reconciler + "OldestPendingSignup": {0, 0, missing, 0, 0}}, nil},
		"the oldest is as old as it may be":          {given{reconciler + "OldestPendingSignup": always(900)}, nil},
		"the oldest is older":                        {given{reconciler + "OldestPendingSignup": {0, 0, 901, 961, 1021}}, []string{"PendingAlarm"}},
		"it was older, and is done":                  {given{reconciler + "OldestPendingSignup": {901, 961, 0, 0, 0}}, nil},
		"one is stuck":                               {given{reconciler + "StuckSignups": {1}}, []string{"StuckAlarm"}},
		"no call has a known outcome":                {given{webhook + "UnknownOutcomes": always(9), webhook + "VendorCalls": always(9)}, nil},
		"one more, and there are enough":             {given{webhook + "UnknownOutcomes": always(10), webhook + "VendorCalls": always(10)}, []string{"UnknownOutcomesAlarm"}},
		"the calls of both functions count":          {given{webhook + "UnknownOutcomes": always(2), webhook + "VendorCalls": always(5), reconciler + "VendorCalls": always(5)}, []string{"UnknownOutcomesAlarm"}},
		"five in a hundred are unknown":              {given{reconciler + "UnknownOutcomes": always(5), webhook + "VendorCalls": always(100)}, nil},
		"six are, by both functions":                 {given{reconciler + "UnknownOutcomes": always(3), webhook + "UnknownOutcomes": always(3), webhook + "VendorCalls": always(100)}, []string{"UnknownOutcomesAlarm"}},
		"all are unknown for five minutes":           {given{webhook + "UnknownOutcomes": {100, missing, missing}, webhook + "VendorCalls": always(100)}, nil},
		"twenty in a hundred fail":                   {given{webhook + "VendorErrors": always(20), webhook + "VendorCalls": always(100)}, nil},
		"twenty-one fail":                            {given{webhook + "VendorErrors": always(21), webhook + "VendorCalls": always(100)}, []string{"VendorErrorsAlarm"}},
		"a rotation of the key":                      {given{webhook + "VendorUnauthorized": {8, 3, missing}, reconciler + "VendorUnauthorized": {1, 1, missing}}, nil},
		"the key stays wrong":                        {given{webhook + "VendorUnauthorized": {missing, 1, missing}, reconciler + "VendorUnauthorized": {1, missing, 1}}, []string{"VendorUnauthorizedAlarm"}},
		"the reconciler's create is refused":         {given{reconciler + "CreatesRefused": {1}}, []string{"CreatesRefusedAlarm"}},
		"an event can't be used":                     {given{webhook + "UnusableEvents": {1}}, []string{"RejectedWebhooksAlarm"}},
		"somebody tries a few signatures":            {given{webhook + "BadSignatures": {10}}, nil},
		"somebody tries more":                        {given{webhook + "BadSignatures": {11}}, []string{"BadSignaturesAlarm"}},
		"the reconciler is throttled":                {given{reconciler + "Throttles": {1}}, []string{"ThrottlesAlarm"}},
		"the webhook fails":                          {given{webhook + "Errors": {1}}, []string{"WebhookErrorsAlarm"}},
		"a pass fails":                               {given{reconciler + "Errors": {1}}, []string{"ReconcilerErrorsAlarm"}},
		"a signup isn't on disk":                     {given{webhook + "NotTaken": {1}}, []string{"NotTakenAlarm"}},
		"a log line has an alarm":                    {given{"trunkhook-prod-Alarms": {1}}, []string{"OperatorAlarm"}},
		"an event isn't taken":                       {given{"UntakenEvents/ApproximateNumberOfMessagesVisible": {1}}, []string{"UntakenAlarm"}},
		"an event isn't taken, nor put in its queue": {given{webhook + "DestinationDeliveryFailures": {1}}, []string{"DeliveryAlarm"}},
		"the schedule can't start a pass":            {given{"ScheduleDeadLetters/ApproximateNumberOfMessagesVisible": {1}}, []string{"ScheduleAlarm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := given{}
			if test.figures != nil {
				for key, values := range alive {
					source[key] = values
				}
			}
			for key, values := range test.figures {
				source[key] = values
			}
			if off := goneOff(t, source); !slices.Equal(off, test.off) {
				t.Errorf("%v went off, want %v", off, test.off)
			}
		})
	}
}

func goneOff(t *testing.T, source Source) (names []string) {
	t.Helper()
	_, alarms := parts(t)
	for _, alarm := range alarms {
		state, err := alarm.State(source)
		if err != nil {
			t.Fatal(err)
		}
		if state == StateAlarm {
			names = append(names, alarm.Name)
		}
	}
	return names
}

func TestEveryAlarmTellsTheTopicWhenItGoesOffAndWhenItIsOver(t *testing.T) {
	t.Parallel()
	_, alarms := parts(t)
	for _, alarm := range alarms {
		for _, actions := range [][]string{alarm.AlarmActions, alarm.OKActions} {
			if !slices.Equal(actions, []string{"AlarmTopic"}) {
				t.Errorf("%s tells %v", alarm.Name, actions)
			}
		}
	}
}

// A roll-out must go back on what the first failure of the new version does.
func TestARollOutGoesBackOnTheFirstFailure(t *testing.T) {
	t.Parallel()
	_, alarms := parts(t)
	for _, alarm := range alarms {
		if !slices.Contains([]string{"WebhookErrorsAlarm", "ReconcilerErrorsAlarm", "NotTakenAlarm"}, alarm.Name) {
			continue
		}
		if alarm.Period != 60 || alarm.EvaluationPeriods != 1 || alarm.Threshold != 0 || len(alarm.Dimensions) != 1 || !strings.HasSuffix(alarm.Dimensions[0].Value, "Function") {
			t.Errorf("%s is %+v", alarm.Name, alarm)
		}
	}
}
