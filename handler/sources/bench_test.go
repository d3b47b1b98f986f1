package sources_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/trunkhook/trunkhook/handler/sources"
)

// All files, read and compiled: once in each cold start. It must stay below 3 ms.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sources.Load(""); err != nil {
			b.Fatal(err)
		}
	}
}

// Bodies of 20 kB, from the bytes to the signups. It must stay below 200 µs.
func BenchmarkRead(b *testing.B) {
	for name, test := range map[string]struct{ source, contentType, body string }{
		"contact with history": {"hubspot", "application/json", contact()},
		"100 subscriptions":    {"hubspot-subscriptions", "application/json", subscriptions()},
		"form":                 {"zoho", "application/x-www-form-urlencoded", "signup_id=1&company=Acme" + repeated(&strings.Builder{}, "&field_%d=some+value+of+a+field", 20_000)},
		"SOAP":                 {"salesforce-outbound", "text/xml", messages()},
	} {
		s := source(b, test.source)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(test.body)))
			b.ReportAllocs()
			for b.Loop() {
				if events, err := s.Read(test.contentType, []byte(test.body)); err != nil || len(events) == 0 || events[0].Fault != nil {
					b.Fatal(events, err)
				}
			}
		})
	}
}

// A request of API Gateway, which is all that most calls bring.
func BenchmarkForEvent(b *testing.B) {
	set := load(b)
	payload, err := os.ReadFile("../../events/signup.json")
	if err != nil {
		b.Fatal(err)
	}
	payload = []byte(strings.Replace(string(payload), `"body": "`, `"body": "`+strings.Repeat(`{\"detail-type\":\"x\"}`, 900), 1))
	b.SetBytes(int64(len(payload)))
	for b.Loop() {
		if _, found := set.ForEvent(payload); found {
			b.Fatal("found")
		}
	}
}

// repeated writes a pattern with a running number until there are so many bytes.
func repeated(text *strings.Builder, pattern string, size int) string {
	for i := 0; text.Len() < size; i++ {
		fmt.Fprintf(text, pattern, i)
	}
	return text.String()
}

func contact() string {
	var text strings.Builder
	text.WriteString(`{"vid":4021,"portal-id":8675309,"is-contact":true,"properties":{"company":{"value":"Acme"}`)
	return repeated(&text, `,"property_%d":{"value":"some value","versions":[{"value":"some value","source-type":"FORM","timestamp":1790000000000,"selected":false}]}`, 20_000) + "}}"
}

func subscriptions() string {
	const one = `{"eventId":3181526811,"subscriptionId":25,"portalId":8675309,"appId":1160452,"occurredAt":1790000001000,"subscriptionType":"contact.creation","attemptNumber":0,"objectId":%d,"changeSource":"CRM"},`
	var all strings.Builder
	for i := range 100 {
		fmt.Fprintf(&all, one, i)
	}
	return "[" + strings.TrimSuffix(all.String(), ",") + "]"
}

func messages() string {
	one := notification("0015g00000XyZ12AAF", "Northwind Telecom")
	return outbound(strings.Repeat(one, 20_000/len(one)))
}
