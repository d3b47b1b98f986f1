package ahead

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// server counts its connections and what they are used for.
type server struct {
	*httptest.Server
	address             *url.URL
	connections, closed atomic.Int64
	requests            atomic.Int64
}

func start(t *testing.T, secure bool) *server {
	t.Helper()
	s := new(server)
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.requests.Add(1) }))
	s.EnableHTTP2 = secure
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.connections.Add(1)
		}
		if state == http.StateClosed {
			s.closed.Add(1)
		}
	}
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	address, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.address = address
	return s
}

// transport trusts the server, and is a Dialer's.
func (s *server) transport() (*http.Transport, *Dialer) {
	t := s.Client().Transport.(*http.Transport).Clone()
	return t, Apply(t)
}

func post(t *testing.T, transport *http.Transport, to string) *http.Response {
	t.Helper()
	answer, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Post(to, "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return answer
}

func TestTheFirstRequestTakesTheConnectionThatWasOpenedAhead(t *testing.T) {
	t.Parallel()
	for name, secure := range map[string]bool{"http": false, "https": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, secure)
			transport, dialer := s.transport()
			if err := dialer.Open(t.Context(), s.address); err != nil {
				t.Fatal(err)
			}
			if s.requests.Load() != 0 {
				t.Error("opening sent a request")
			}
			answer := post(t, transport, s.URL)
			post(t, transport, s.URL)
			if n := s.connections.Load(); n != 1 {
				t.Errorf("%d connections", n)
			}
			if secure && (answer.ProtoMajor != 2 || answer.TLS == nil) {
				t.Errorf("it speaks %s, as the transport by itself would not", answer.Proto)
			}
		})
	}
}

// At start-up a connection is opened while a request goes through the same transport,
// which net/http sets up at its first one.
func TestOpeningMayMeetTheFirstRequest(t *testing.T) {
	t.Parallel()
	s := start(t, true)
	for range 20 {
		transport, dialer := s.transport()
		var both sync.WaitGroup
		both.Go(func() {
			if err := dialer.Open(t.Context(), s.address); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() { post(t, transport, s.URL) })
		both.Wait()
	}
}

// net/http speaks HTTP/2 over another one's connections only where it was told to.
func TestHTTP2IsAgreedOnOnlyWhereTheTransportSpeaksIt(t *testing.T) {
	t.Parallel()
	s := start(t, true)
	for _, forced := range []bool{false, true} {
		transport := s.Client().Transport.(*http.Transport).Clone()
		transport.ForceAttemptHTTP2 = forced
		dialer := Apply(transport)
		if err := dialer.Open(t.Context(), s.address); err != nil {
			t.Fatal(err)
		}
		if answer := post(t, transport, s.URL); (answer.ProtoMajor == 2) != forced {
			t.Errorf("forced %v: it speaks %s", forced, answer.Proto)
		}
	}
}

func TestAConnectionThatWasOpenedLongAgoIsNotTaken(t *testing.T) {
	t.Parallel()
	s := start(t, true)
	transport, dialer := s.transport()
	if err := dialer.Open(t.Context(), s.address); err != nil {
		t.Fatal(err)
	}
	dialer.now = func() time.Time { return time.Now().Add(aheadFor) }
	post(t, transport, s.URL)
	if n := s.connections.Load(); n != 2 {
		t.Errorf("%d connections", n)
	}
	for deadline := time.Now().Add(time.Minute); s.closed.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old one stays open")
		}
	}
}

func TestOpeningTwiceKeepsOne(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	_, dialer := s.transport()
	for range 2 {
		if err := dialer.Open(t.Context(), s.address); err != nil {
			t.Fatal(err)
		}
	}
	if len(dialer.ahead) != 1 {
		t.Errorf("%d are kept", len(dialer.ahead))
	}
	for deadline := time.Now().Add(time.Minute); s.closed.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first one stays open")
		}
	}
}

func TestAnUntrustedServerIsRefusedAheadAndLater(t *testing.T) {
	t.Parallel()
	s := start(t, true)
	transport := new(http.Transport)
	dialer := Apply(transport)
	if err := dialer.Open(t.Context(), s.address); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("ahead: %v", err)
	}
	if _, err := (&http.Client{Transport: transport}).Get(s.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("later: %v", err)
	}
}

func TestAServerThatDoesNotShakeHandsIsGivenUp(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	transport := &http.Transport{TLSHandshakeTimeout: 50 * time.Millisecond}
	err = Apply(transport).Open(t.Context(), &url.URL{Scheme: "https", Host: listener.Addr().String()})
	if err == nil {
		t.Error("it is taken for open")
	}
}

func TestBehindAProxyNothingIsOpened(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	transport, _ := s.transport()
	transport.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	if err := Apply(transport).Open(t.Context(), s.address); err != nil {
		t.Fatal(err)
	}
	if n := s.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestADialThatFailsIsTold(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Apply(new(http.Transport)).Open(ctx, &url.URL{Scheme: "http", Host: "127.0.0.1:1"}); err == nil {
		t.Error("it is taken for open")
	}
}
