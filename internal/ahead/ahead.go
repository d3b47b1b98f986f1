// Package ahead opens connections before they are needed. A TLS handshake is cheap
// during a function's initialisation, where it has a whole core, and dear after it.
package ahead

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// aheadFor is how long a connection is kept that was opened ahead. It is short
// because net/http takes it for a new one, of which it trusts the first request to
// the end: a server that hung up meanwhile would leave a POST in doubt.
const aheadFor = 3 * time.Second

// Dialer makes the connections of one transport.
type Dialer struct {
	transport *http.Transport
	tls       *tls.Config // net/http writes into the transport's own at its first request
	tcp       func(ctx context.Context, network, address string) (net.Conn, error)
	now       func() time.Time

	mu    sync.Mutex
	ahead map[string]opened // by scheme and address
}

type opened struct {
	conn net.Conn
	at   time.Time // by the wall clock: the other one may stand still meanwhile
}

// Apply makes the transport's connections ones of a Dialer, which keeps to the
// transport's DialContext, TLSClientConfig, ForceAttemptHTTP2 and TLSHandshakeTimeout.
// Call it last, before the transport is used.
func Apply(t *http.Transport) *Dialer {
	d := &Dialer{transport: t, tls: new(tls.Config), tcp: t.DialContext, now: time.Now, ahead: map[string]opened{}}
	if t.TLSClientConfig != nil {
		d.tls = t.TLSClientConfig.Clone()
	}
	d.tls.NextProtos = []string{"http/1.1"}
	if t.ForceAttemptHTTP2 { // else net/http doesn't speak it where somebody else dials
		d.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	if d.tcp == nil {
		d.tcp = new(net.Dialer).DialContext
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return d.take(ctx, network, "http", address)
	}
	t.DialTLSContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		return d.take(ctx, network, "https", address)
	}
	return d
}

// Open opens a connection to a URL's host, and sends nothing. The transport takes it
// for its next one, if that comes within three seconds. Where the transport would go
// through a proxy nothing is done.
func (d *Dialer) Open(ctx context.Context, to *url.URL) error {
	if d.transport.Proxy != nil {
		if proxy, err := d.transport.Proxy(&http.Request{URL: to}); err != nil || proxy != nil {
			return err
		}
	}
	address := to.Host
	if to.Port() == "" {
		address = net.JoinHostPort(to.Hostname(), map[string]string{"http": "80", "https": "443"}[to.Scheme])
	}
	conn, err := d.dial(ctx, "tcp", to.Scheme, address)
	if err != nil {
		return err
	}
	d.keep(to.Scheme+" "+address, opened{conn, d.wall()})
	return nil
}

func (d *Dialer) keep(key string, c opened) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, there := d.ahead[key]; there {
		_ = old.conn.Close()
	}
	d.ahead[key] = c
}

// take is the connection that was opened ahead, or a new one.
func (d *Dialer) take(ctx context.Context, network, scheme, address string) (net.Conn, error) {
	d.mu.Lock()
	c, there := d.ahead[scheme+" "+address]
	delete(d.ahead, scheme+" "+address)
	d.mu.Unlock()
	switch age := d.wall().Sub(c.at); {
	case there && age >= 0 && age < aheadFor:
		return c.conn, nil
	case there:
		_ = c.conn.Close()
	}
	return d.dial(ctx, network, scheme, address)
}

func (d *Dialer) wall() time.Time { return d.now().Round(0) }

// readCertificates reads the system's: 10 ms and more of work, on which the first
// handshake would wait after it has waited for the network.
var readCertificates = sync.OnceFunc(func() { _, _ = x509.SystemCertPool() })

func (d *Dialer) dial(ctx context.Context, network, scheme, address string) (net.Conn, error) {
	if scheme == "https" {
		go readCertificates()
	}
	tcp, err := d.tcp(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if scheme != "https" {
		return tcp, nil
	}
	secured, err := d.handshake(ctx, tcp, address)
	if err != nil {
		_ = tcp.Close()
		return nil, err
	}
	return secured, nil
}

func (d *Dialer) handshake(ctx context.Context, tcp net.Conn, address string) (*tls.Conn, error) {
	config := d.tls.Clone()
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		config.ServerName = host
	}
	if limit := d.transport.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	secured := tls.Client(tcp, config)
	return secured, secured.HandshakeContext(ctx)
}
