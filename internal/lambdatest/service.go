package lambdatest

import (
	"net"
	"net/http"
	"strings"
	"time"
)

// serveOn runs a service on an address until the server is closed.
func serveOn(addr string, serve http.HandlerFunc) (url string, server *http.Server, err error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, err
	}
	server = &http.Server{Handler: serve, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), server, nil
}

// Operation is the kind of a call as AWS names it, such as UpdateItem, for a Proxy in
// front of a service that speaks JSON.
func Operation(r *http.Request, _ []byte) string {
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name
}
