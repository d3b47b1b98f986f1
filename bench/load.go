package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/trunkhook/trunkhook/exotel"
	"github.com/trunkhook/trunkhook/exotel/exoteltest"
	"github.com/trunkhook/trunkhook/internal/sender"
	"github.com/trunkhook/trunkhook/ledger/embedded"
	"github.com/trunkhook/trunkhook/provision"
)

const (
	loadWorkers = 64   // senders that each wait for an answer
	loadRate    = 1000 // signups a second of the run that waits for none
)

// load sends new signups to cmd/local, which keeps its table in a file, with the call
// budget that it has by default: nearly all are answered 202, with their claim on disk.
// First as fast as the senders get answers; then at a fixed rate, where a signup's time
// counts from the moment at which it was due.
func (b *bench) load(ctx context.Context, out io.Writer) error {
	fmt.Fprintf(out, "\n### cmd/local under load\n\nThe senders run on the same processors.\n\n")
	row(out, "", []string{"accepted a second", "p50, ms", "p99, ms", "slowest, ms", "answers", "on disk afterwards", "CPU of cmd/local, ms each"})
	row(out, "---", slices.Repeat([]string{"---"}, 7))
	for _, r := range []struct {
		name string
		send func(*local, context.Context) *sent
	}{
		{fmt.Sprintf("%d senders", loadWorkers), (*local).asFastAsAnswered},
		{fmt.Sprintf("%d a second", loadRate), (*local).atRate},
	} {
		fmt.Fprintf(b.progress, "load: %s, for %v\n", r.name, b.loadTime)
		cells, err := b.loadLocal(ctx, r.name, r.send)
		if err != nil {
			return err
		}
		row(out, r.name, cells)
	}
	return nil
}

// local is a running cmd/local, on a fake with a real one's latency.
type local struct {
	url    string
	client *http.Client
	sent   atomic.Int64
	during time.Duration // it is sent to
}

// sent is what became of a run's signups.
type sent struct {
	mu       sync.Mutex
	took     []time.Duration
	answers  map[int]int
	accepted int
	within   time.Duration
	failed   error
}

// asFastAsAnswered sends from a number of senders, each of which waits for its answer.
func (l *local) asFastAsAnswered(ctx context.Context) *sent {
	s := &sent{answers: map[int]int{}}
	began := time.Now()
	var senders sync.WaitGroup
	for range loadWorkers {
		senders.Go(func() {
			for time.Since(began) < l.during {
				l.signUp(ctx, s, time.Now())
			}
		})
	}
	senders.Wait()
	s.within = time.Since(began)
	return s
}

// atRate sends at a rate, whether there are answers or not.
func (l *local) atRate(ctx context.Context) *sent {
	s := &sent{answers: map[int]int{}}
	began := time.Now()
	var senders sync.WaitGroup
	for due := began; due.Sub(began) < l.during; due = due.Add(time.Second / loadRate) {
		time.Sleep(time.Until(due))
		senders.Go(func() { l.signUp(ctx, s, due) })
	}
	senders.Wait()
	s.within = time.Since(began)
	return s
}

func (l *local) signUp(ctx context.Context, s *sent, due time.Time) {
	status, err := l.post(ctx, fmt.Sprintf(`{"signup_id":"load-%d","company":"Acme Telecom"}`, l.sent.Add(1)))
	took := time.Since(due)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil { // as a sender that has to come again
		s.answers[0]++
		s.failed = err
		return
	}
	s.took = append(s.took, took)
	s.answers[status]++
	if status/100 == 2 {
		s.accepted++
	}
}

func (l *local) post(ctx context.Context, body string) (int, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/signups", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+sender.Secrets()["api"][0])
	r.Header.Set("Content-Type", "application/json")
	answer, err := l.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode, err
}

// loadLocal runs cmd/local in a new folder for one run, and looks into its table
// afterwards.
func (b *bench) loadLocal(ctx context.Context, name string, send func(*local, context.Context) *sent) ([]string, error) {
	dir, err := os.MkdirTemp(b.temporary, "local-")
	if err != nil {
		return nil, err
	}
	fake, err := exoteltest.New(exoteltest.Options{})
	if err != nil {
		return nil, err
	}
	defer fake.Close()
	fake.SetLatency(exotelLatency)
	process, url, err := b.startLocal(ctx, dir, fake)
	if err != nil {
		return nil, err
	}
	l := &local{during: b.loadTime, url: url, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 1024, IdleConnTimeout: time.Second}}}
	s, err := l.whole(ctx, process, send)
	if err != nil {
		text, _ := os.ReadFile(filepath.Join(dir, "output"))
		return nil, errors.Join(fmt.Errorf("%w\n%s", err, text), process.Process.Kill())
	}
	if err := stop(process); err != nil {
		return nil, err
	}
	onDisk, err := countRows(filepath.Join(dir, "signups-"+exoteltest.DefaultAccountSID+".db"))
	if err == nil && onDisk < s.accepted {
		err = fmt.Errorf("%d were accepted, and %d are on disk", s.accepted, onDisk)
	}
	rate := float64(s.accepted) / s.within.Seconds()
	b.aims = append(b.aims, aim{
		"cmd/local accepts 1,000 signups a second per 2 processors: " + name,
		fmt.Sprintf("%.0f on %d", rate, runtime.NumCPU()), rate >= 0.995*loadRate*float64(runtime.NumCPU())/2,
	})
	cpu := process.ProcessState.UserTime() + process.ProcessState.SystemTime()
	return []string{
		fmt.Sprintf("%.0f", rate),
		milliseconds(median(s.took)), milliseconds(quantile(s.took, 0.99)), milliseconds(slices.Max(s.took)),
		listedAnswers(s.answers), strconv.Itoa(onDisk), milliseconds(cpu / time.Duration(s.accepted)),
	}, err
}

func (l *local) whole(ctx context.Context, process *exec.Cmd, send func(*local, context.Context) *sent) (*sent, error) {
	if err := l.wait(ctx); err != nil {
		return nil, fmt.Errorf("cmd/local (process %d): %w", process.Process.Pid, err)
	}
	s := send(l, ctx)
	if s.accepted == 0 {
		return nil, errors.Join(errors.New("cmd/local accepted nothing"), s.failed)
	}
	return s, nil
}

// startLocal runs cmd/local with the fake for its account.
func (b *bench) startLocal(ctx context.Context, dir string, fake *exoteltest.Server) (*exec.Cmd, string, error) {
	program := filepath.Join(b.dir, "local")
	if err := buildGo(ctx, "./cmd/local", program, "-buildvcs=false"); err != nil {
		return nil, "", err
	}
	config := fake.Config()
	secret := filepath.Join(dir, "secret.json")
	text := fmt.Sprintf(`{"api_key":%q,"api_token":%q,"account_sid":%q,"subdomain":%q}`, config.APIKey, config.APIToken, config.AccountSID, exotel.Singapore)
	if err := os.WriteFile(secret, []byte(text), 0o600); err != nil {
		return nil, "", err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	process := exec.CommandContext(ctx, program)
	process.Env = []string{"ADDR=" + addr, "DATA_DIR=" + dir, "EXOTEL_SECRET_FILE=" + secret, "EXOTEL_BASE_URL=" + fake.URL}
	output, err := os.Create(filepath.Join(dir, "output"))
	if err != nil {
		return nil, "", err
	}
	defer output.Close()
	process.Stdout, process.Stderr = io.Discard, output
	return process, "http://" + addr, process.Start()
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}

// wait until it answers.
func (l *local) wait(ctx context.Context) error {
	for range 100 {
		if status, err := l.post(ctx, "{}"); err == nil && status == http.StatusUnprocessableEntity {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return errors.New("it does not answer")
}

func stop(process *exec.Cmd) error {
	if err := process.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return process.Wait()
}

func countRows(path string) (n int, err error) {
	l, err := embedded.Open(path)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	err = l.Each(func(provision.Record) error { n++; return nil })
	return n, err
}

func listedAnswers(answers map[int]int) string {
	var parts []string
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		if status == 0 {
			parts = append(parts, fmt.Sprintf("none: %d", answers[status]))
			continue
		}
		parts = append(parts, fmt.Sprintf("%d: %d", status, answers[status]))
	}
	return strings.Join(parts, ", ")
}
