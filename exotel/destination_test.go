package exotel

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestValidateDestination(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"44.248.146.11:5061;transport=tls", "44.248.146.11:5060", "sip.yourcompany.com:5061;transport=tls", "sip.acme.co.in:5060;transport=udp",
		"SIP.Acme.com:5070;transport=tcp", "a-b.example:1", "8.8.8.8:65535", "1.acme.com:5060", "xn--e1afmkfd.example:5060",
	} {
		if err := ValidateDestination(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for what, bad := range map[string][]string{
		"host:port":   {"", "sip.acme.com", "sip.acme.com:", "sip.acme.com:0", "sip.acme.com:05060", "sip.acme.com:65536", "sip.acme.com:x", "sip.acme.com:5060:1", "sip:sip.acme.com:5060", "[2001:db8::1]:5060", "sip.acme.com:+1", "sip.acme.com:5060 "},
		"transport":   {"sip.acme.com:5060;", "sip.acme.com:5060;transport=", "sip.acme.com:5060;transport=ws", "sip.acme.com:5060;transport=TLS", "sip.acme.com:5060;lr", "sip.acme.com:5060;transport=tls;lr", "sip.acme.com:5060; transport=tls"},
		"domain name": {"localhost:5060", "acme:5060", ".acme.com:5060", "acme..com:5060", "acme.com.:5060", "-a.com:5060", "a-.com:5060", "a_b.com:5060", "user@acme.com:5060", "acme.com/x:5060", "1.2.3:5060", "1.2.3.4.5:5060", "999.1.1.1:5060", "0x7f.1:5060", "ä.example:5060", strings.Repeat("a.", 130) + "com:5060", strings.Repeat("a", 64) + ".com:5060", "sip.acme.com\n:5060", ":5060"},
		"public one":  {"10.0.0.1:5060", "172.31.255.255:5060", "192.168.1.1:5060", "127.0.0.1:5060", "169.254.169.254:80", "192.0.2.1:5060", "198.51.100.7:5060", "203.0.113.50:5061;transport=tls", "224.0.0.1:5060", "239.255.255.255:5060", "255.255.255.255:5060", "0.0.0.0:5060", "0.1.2.3:5060", "100.64.0.1:5060", "198.18.0.1:5060", "192.0.0.8:5060", "240.0.0.1:5060"},
	} {
		for _, destination := range bad {
			if err := ValidateDestination(destination); err == nil || !strings.Contains(err.Error(), what) {
				t.Errorf("%q: %v; want one about %q", destination, err, what)
			} else if len(destination) > 6 && strings.Contains(err.Error(), destination) {
				t.Errorf("%q is repeated: %v", destination, err)
			}
		}
	}
}

func TestSameDestination(t *testing.T) {
	t.Parallel()
	same := [][]string{
		{"sip.acme.com:5060", "SIP.ACME.COM:5060", "sip:sip.acme.com:5060", "sip.acme.com:5060;transport=udp", "sip.acme.com.:5060", " sip.acme.com:5060;transport=UDP;lr", "sip.acme.com", "sip.acme.com:05060", "sip.acme.com:5060;"},
		{"sip.acme.com:5061;transport=tls", "sip:sip.acme.com:5061;transport=tls", "sips:sip.acme.com", "sips:sip.acme.com:5061", "sip.acme.com;transport=tls"},
		{"sip.acme.com:5060;transport=tcp"},
		{"sip.acme.com:5060;transport=tls"},
		{"sip.acme.com:5061"},
		{"44.248.146.11:5061;transport=tls", "sip:44.248.146.11:5061;transport=tls"},
		{"44.248.146.12:5061;transport=tls"},
		{"sip.acme.com:x"},
		{"sip.acme.com:0"},
		{""},
		{":5060"},
	}
	for i, group := range same {
		for j, other := range same {
			for _, a := range group {
				for _, b := range other {
					if SameDestination(a, b) != (i == j) {
						t.Errorf("%q and %q: want %v", a, b, i == j)
					}
				}
			}
		}
	}
}

func TestDestinationAddr(t *testing.T) {
	t.Parallel()
	for destination, want := range map[string]string{
		"44.248.146.11:5061;transport=tls": someAddress, "sip:44.248.146.11": someAddress, "sip.acme.com:5060": "", "": "", "1.2.3:5060": "",
	} {
		if addr, ok := DestinationAddr(destination); ok != (want != "") || ok && addr != netip.MustParseAddr(want) {
			t.Errorf("%q: %v, %v", destination, addr, ok)
		}
	}
}

// What is good stays the same when Exotel sends it back in its own form, and has
// one host, one port and one transport.
func TestGoodDestinationsAreFoundAgain(t *testing.T) {
	t.Parallel()
	good := rapid.Custom(func(t *rapid.T) string {
		host := rapid.OneOf(rapid.StringMatching(`([a-zA-Z0-9]{1,8}\.){1,3}[a-zA-Z]{2,5}`), rapid.SampledFrom([]string{"44.248.146.11", "8.8.8.8"})).Draw(t, "host")
		port := rapid.StringMatching(`[1-9][0-9]{0,3}`).Draw(t, "port")
		return host + ":" + port + rapid.SampledFrom([]string{"", ";transport=udp", ";transport=tcp", ";transport=tls"}).Draw(t, "transport")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := good.Draw(t, "a"), good.Draw(t, "b")
		if err := ValidateDestination(a); err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		if !SameDestination(a, "sip:"+a) || !SameDestination(strings.ToUpper(a[:3])+a[3:], a) {
			t.Fatalf("%s is not found again", a)
		}
		d, _ := readDestination(a)
		e, _ := readDestination(b)
		if SameDestination(a, b) != (d == e) || SameDestination(a, b) != SameDestination(b, a) {
			t.Fatalf("%s and %s", a, b)
		}
		if again := d.host + ":" + d.port + ";transport=" + d.transport; !SameDestination(a, again) || ValidateDestination(again) != nil {
			t.Fatalf("%s became %s", a, again)
		}
	})
}

func FuzzDestination(f *testing.F) {
	for _, seed := range []string{"44.248.146.11:5061;transport=tls", "sip:sip.acme.com", "sips:a.b:1;transport=udp", "10.0.0.1:5060", "a.b:99999", "[::1]:5060", "\x00", "a.b:1;transport=tls;transport=udp"} {
		f.Add(seed, "sip:"+seed)
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !SameDestination(a, a) || SameDestination(a, b) != SameDestination(b, a) {
			t.Fatalf("%q and %q: %v, but %v the other way", a, b, SameDestination(a, b), SameDestination(b, a))
		}
		if ValidateDestination(a) != nil {
			return
		}
		if strings.ContainsFunc(a, func(r rune) bool { return r <= ' ' || r > '~' }) || !SameDestination(a, "sip:"+a) {
			t.Fatalf("%q passes", a)
		}
		if addr, ok := DestinationAddr(a); ok && (!addr.Is4() || addr.IsPrivate() || addr.IsLoopback() || addr.IsMulticast() || addr.IsUnspecified()) {
			t.Fatalf("%q passes, which leads to %v", a, addr)
		}
	})
}
