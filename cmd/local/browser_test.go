//go:build browser

package main

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// patience bounds what a test waits for, on a machine that has a lot to do.
const patience = 90 * time.Second

// chromium is the browser of all tests; each has a tab of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := findChromium()
	if err != nil {
		return nil, err
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.NoSandbox) // root has none; nothing but this repository's page is shown
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	closeChromium = func() {
		cancel()
		stop()
	}
	return ctx, chromedp.Do(ctx)
})

var closeChromium = func() {}

func findChromium() (string, error) {
	if path := os.Getenv("CHROMIUM"); path != "" {
		return path, nil
	}
	var err error
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		var path string
		if path, err = exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", err
}

func TestMain(m *testing.M) {
	code := m.Run()
	closeChromium()
	os.Exit(code)
}

// tab is one page that is open. Whatever it complains of on its console fails the test.
type tab struct {
	ctx context.Context
	t   *testing.T
}

func openTab(t *testing.T) tab {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatalf("no browser (apt-get install chromium, or CHROMIUM=its path): %v", err)
	}
	ctx, cancel := chromedp.NewContext(browser)
	b := tab{ctx, t}
	messages := chromedp.Console(ctx)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		b.listen(messages)
	}()
	t.Cleanup(func() {
		if _, err := evaluate[chromedp.Void](b, `console.debug(`+quoted(lastWord)+`)`); err == nil {
			select {
			case <-heard:
			case <-time.After(patience):
				t.Error("the browser's console never came to its end")
			}
		}
		cancel()
		<-heard
	})
	return b
}

// lastWord is what a test writes on the page's console at its end, behind all messages.
const lastWord = "this was the test"

func (b tab) listen(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for message, err := range messages {
		switch {
		case err != nil, message.Text == lastWord:
			return
		case message.Type != "log" && message.Type != "info" && message.Type != "debug":
			b.t.Errorf("the browser's console: %s: %s %s", message.Type, message.Text, message.URL)
		}
	}
}

func (b tab) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// evaluate is the value of an expression.
func evaluate[T any](b tab, expression string, options ...chromedp.EvaluateOption) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, options...))
}

// open shows an address, and waits until the page is told of changes.
func (b tab) open(url string) {
	b.t.Helper()
	b.do(chromedp.Navigate(url))
	b.until(`document.getElementById("connection").dataset.state === "on"`)
}

// until waits for an expression to become true; a page that is being left has none.
func (b tab) until(expression string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		met, err := evaluate[bool](b, "Boolean("+expression+")")
		if err == nil && met {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("never came true: %s (%v)\n%s", expression, err, b.text("main"))
		}
	}
}

// text is what is to be read in an element.
func (b tab) text(selector string) string {
	b.t.Helper()
	return b.value(`document.querySelector(` + quoted(selector) + `)?.innerText ?? ""`)
}

func (b tab) value(expression string) string {
	b.t.Helper()
	text, err := evaluate[string](b, "String("+expression+")")
	if err != nil {
		b.t.Fatal(expression, err)
	}
	return text
}

func (b tab) click(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// numbers are the three that stand above every page.
func (b tab) numbers() string {
	b.t.Helper()
	return b.value(`["n-trunks", "n-active", "n-pending"].map(id => document.getElementById(id).textContent).join(" ")`)
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text) + `"`
}
