package sources

import (
	"testing"
)

// Nothing but true ends a signup, and it needs no more than its id.
func TestNothingButTrueCancels(t *testing.T) {
	t.Parallel()
	set, err := load(dir(map[string]string{"shop.json": with(`"match":"type=='order'","cancelled":"ended || type=='end'"`)}), "")
	if err != nil {
		t.Fatal(err)
	}
	shop, _ := set.Source("shop")
	for body, want := range map[string]Event{
		`{"type":"end","shop":"a","customer":{"id":7}}`:                               {Cancelled: true},
		`{"type":"order","ended":true,"shop":"a","customer":{"id":7,"name":"Acme"}}`:  {Cancelled: true},
		`{"type":"order","ended":"yes","shop":"a","customer":{"id":7,"name":"Acme"}}`: {},
		`{"type":"order","ended":1,"shop":"a","customer":{"id":7,"name":"Acme"}}`:     {},
		`{"type":"order","ended":[1],"shop":"a","customer":{"id":7,"name":"Acme"}}`:   {},
		`{"type":"visit","shop":"a","customer":{"id":7}}`:                             {Ignored: true},
	} {
		events, err := shop.Read("application/json", []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		e := events[0]
		if e.Cancelled != want.Cancelled || e.Ignored != want.Ignored || e.Fault != nil || !want.Ignored && e.Signup.ID != "shop:a:7" {
			t.Errorf("%s: %+v", body, e)
		}
		if e.Cancelled && e.Signup.Company != "" {
			t.Errorf("%s: %+v", body, e.Signup)
		}
	}
	events, err := shop.Read("application/json", []byte(`{"type":"end","customer":{"id":7}}`))
	if err != nil || events[0].Fault == nil || events[0].Raw == nil {
		t.Errorf("without its id: %+v, %v", events, err)
	}
}
