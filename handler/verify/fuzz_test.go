package verify_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/trunkhook/trunkhook/handler/verify"
)

// strangers are secrets of every form that made none of the seeds.
var strangers = []string{
	"Zk9vRXhQ2n-stranger", "whsec_WmtPdkV4UTJuLXN0cmFuZ2VyLWtleS0=", "whpk_" + base64Of("a public key that has no private"),
	"somebody:Zk9vRXhQ2n-stranger", "5a6b4f76457851326e2d737472616e67", "whsec_Zk9vRXhQ2n",
}

// FuzzVerify: nothing panics, and nothing is taken that a stranger to the secrets
// has made.
func FuzzVerify(f *testing.F) {
	names := slices.Sorted(maps.Keys(senders))
	add := func(i int, r verify.Request) {
		s := senders[names[i]]
		var values [4]string
		for j, name := range s.names() {
			values[j] = r.Header.Get(name)
		}
		f.Add(uint8(i), r.Now.UnixMilli(), r.Method, r.URL, values[0], values[1], values[2], values[3], r.Body)
	}
	for i, name := range names {
		s := senders[name]
		add(i, s.send(f, s.content()))
		for _, v := range vectors {
			if v.kind == s.options.Kind {
				add(i, v.request())
			}
		}
	}
	kinds := make([]verify.Kind, len(names))
	for i, name := range names {
		kinds[i] = newKind(f, senders[name].options)
	}
	f.Fuzz(func(t *testing.T, n uint8, millis int64, method, url, a, b, c, d string, body []byte) {
		i := int(n) % len(names)
		r := verify.Request{Now: time.UnixMilli(millis), Secrets: strangers, Method: method, URL: url, Header: headers(), Body: body}
		for j, name := range senders[names[i]].names() {
			r.Header.Set(name, []string{a, b, c, d}[j])
		}
		if kinds[i](r) {
			t.Fatalf("%s takes %v", names[i], r)
		}
		// With the secret of the seeds either answer can be right, for one body only.
		r.Secrets = append(r.Secrets, senders[names[i]].verifies())
		taken := kinds[i](r)
		r.Body = append(r.Body, 'x')
		if taken && senders[names[i]].covers && kinds[i](r) {
			t.Fatalf("%s takes two bodies, %v", names[i], r)
		}
	})
}

// names are those of the headers that the kind looks at, four at most.
func (s sender) names() []string {
	var names []string
	for _, name := range append([]string{s.proof, s.stamp}, s.more...) {
		if name != "" {
			names = append(names, name)
		}
	}
	return names
}
