package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	gatewayevents "github.com/aws/aws-lambda-go/events"

	"github.com/trunkhook/trunkhook/handler/sources"
	"github.com/trunkhook/trunkhook/internal/secrets"
	"github.com/trunkhook/trunkhook/internal/sender"
)

// sending is what the command line says.
type sending struct {
	source     string
	url        string
	file       string // a payload; empty for the source's sample
	secretFile string // a sources secret; empty for the example secrets
	times      int
}

func send(ctx context.Context, set sources.Set, args []string, out io.Writer) error {
	var s sending
	flags := flag.NewFlagSet("send", flag.ContinueOnError)
	flags.StringVar(&s.url, "url", "http://127.0.0.1:8080", "where the sources are, without /webhooks")
	flags.StringVar(&s.file, "file", "", "a payload to send instead of the sample")
	flags.StringVar(&s.secretFile, "secret-file", "", `a file with {"source": ["secret", ...]}, for a deployed system`)
	flags.IntVar(&s.times, "times", 1, "how often")
	rest, err := parseFlags(flags, args, 1)
	if err != nil {
		return err
	}
	s.source, s.url = rest[0], strings.TrimRight(s.url, "/")
	if _, ok := set.Source(s.source); !ok {
		return fmt.Errorf("there is no source %q; there are %s", s.source, strings.Join(set.Names(), ", "))
	}
	secret, err := s.secret()
	if err != nil {
		return err
	}
	for range s.times {
		event, err := s.event()
		if err != nil {
			return err
		}
		if err := sender.Sign(&event, set, secret, time.Now(), s.url); err != nil {
			return err
		}
		if err := s.post(ctx, event, out); err != nil {
			return err
		}
	}
	return nil
}

func (s sending) secret() (string, error) {
	known := sender.Secrets()
	if s.secretFile != "" {
		text, err := os.ReadFile(s.secretFile)
		if err != nil {
			return "", err
		}
		if known, err = secrets.ParseSources(string(text)); err != nil {
			return "", fmt.Errorf("%s: %w", s.secretFile, err)
		}
	}
	return sender.SecretOf(known, s.source)
}

// event is the sample, or the payload, as it is before it is signed.
func (s sending) event() (event gatewayevents.APIGatewayV2HTTPRequest, err error) {
	if s.file == "" {
		if event, err = sender.Sample(s.source); err != nil {
			return event, fmt.Errorf("%w; -file sends a payload of yours", err)
		}
		return event, nil
	}
	body, err := os.ReadFile(s.file)
	if err != nil {
		return event, err
	}
	event.RawPath, event.Body = "/webhooks/"+s.source, string(body)
	event.Headers = map[string]string{"content-type": contentType(s.file)}
	return event, nil
}

// sendTime is more than any answer takes.
const sendTime = 30 * time.Second

func (s sending) post(ctx context.Context, event gatewayevents.APIGatewayV2HTTPRequest, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+event.RawPath, strings.NewReader(event.Body))
	if err != nil {
		return err
	}
	for name, value := range event.Headers {
		r.Header.Set(name, value)
	}
	resp, err := new(http.Client).Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "HTTP %d %s\n", resp.StatusCode, body)
	if resp.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s refused it", s.url)
	}
	return nil
}
