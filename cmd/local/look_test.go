//go:build browser

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// axe is what make browser installs.
func axe(t *testing.T) string {
	t.Helper()
	script, err := os.ReadFile(filepath.Join("..", "..", ".ci", "browser", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("make browser installs it: %v", err)
	}
	return string(script)
}

// look chooses a width, and light or dark.
func (b tab) look(width, height int64, scheme string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, height))
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}); err != nil {
		b.t.Fatal(err)
	}
}

// shoot keeps a picture of the whole page, where somebody wants to look at it.
func (b tab) shoot(name string) {
	b.t.Helper()
	dir := os.Getenv("BROWSER_PICTURES")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// scene is a system to which something has happened: a lost answer while the same
// signup came twice, and one of HubSpot's that asks for a line.
func scene(t *testing.T, b tab) system {
	t.Helper()
	s := start(t, env(t.TempDir()))
	b.open(s.url + "/console/break")
	b.click("#latency-1")
	b.until(`document.getElementById("latency-1").ariaPressed === "true"`)
	b.click("#b-lose")
	b.until(`document.getElementById("b-lose").ariaChecked === "true"`)
	b.open(s.url + "/console/send")
	b.do(chromedp.SetValue(chromedp.CSS("textarea"), `{"signup_id": "acme-77", "company": "Acme Telecom"}`))
	b.click(`button[value="2"]`)
	b.until(`document.getElementById("answers")?.innerText.includes("2 of 2")`)
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
	b.open(s.url + "/console/send?source=hubspot")
	b.click(`button[value="1"]`)
	b.until(`document.getElementById("answers")?.innerText.includes("1 of 1")`)
	return s
}

// Each page, at three widths, light and dark: axe finds nothing serious, nothing is
// wider than the screen, and what is loaded stays where it is.
func TestPagesAreForEverybody(t *testing.T) {
	script := axe(t)
	b := openTab(t)
	s := scene(t, b)
	b.open(s.url + "/console/break")
	b.click("#b-kill") // for one that is still pending
	b.until(`document.getElementById("b-kill").ariaChecked === "true"`)
	b.click(`button[value="one"]`)
	b.until(`document.getElementById("sent").innerText.includes("no answer × 1")`)
	for _, width := range []int64{360, 768, 1280} {
		for _, scheme := range []string{"light", "dark"} {
			b.look(width, 900, scheme)
			for _, page := range []struct{ name, path string }{
				{"signups", "/"},
				{"nothing", "/?q=nobody&status=rejected"},
				{"story", "/console/signups/acme-77"},
				{"line", "/console/signups/northwind-7"},
				{"send", "/console/send"},
				{"sent", "/console/send?id=1"},
				{"break", "/console/break"},
				{"vendor", "/console/vendor"},
			} {
				name := fmt.Sprintf("%s-%d-%s", page.name, width, scheme)
				b.open(s.url + page.path)
				b.judge(name, script)
				b.shoot(name)
			}
		}
	}
	b.open(s.url + "/console/send?source=zoho")
	b.click(`button[value="map"]`)
	b.until(`document.getElementById("sent")?.innerText.includes("Event 1 of 1")`)
	b.judge("mapping", script)
	b.shoot("mapping")
}

// serious are what axe finds that keeps somebody from using the page.
const serious = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.filter(v => ["serious", "critical"].includes(v.impact))
	.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.target + " " + n.html).join("; ")).join("\n"))`

// shifted is how far what was to be seen has moved by itself; 0.1 is what passes for none.
const shifted = `new Promise(done => new PerformanceObserver(list => done(list.getEntries().reduce((sum, e) => sum + (e.hadRecentInput ? 0 : e.value), 0)))
	.observe({type: "layout-shift", buffered: true}) || setTimeout(() => done(0), 300))`

func (b tab) judge(name, script string) {
	b.t.Helper()
	if _, err := evaluate[chromedp.Void](b, script); err != nil {
		b.t.Fatal(err)
	}
	found, err := evaluate[string](b, serious, chromedp.EvalAwaitPromise)
	if err != nil {
		b.t.Fatal(name, err)
	}
	if found != "" {
		b.t.Errorf("%s: axe finds\n%s", name, found)
	}
	if over := b.value(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
		b.t.Errorf("%s is %s px wider than the screen", name, over)
	}
	if moved, err := evaluate[float64](b, shifted, chromedp.EvalAwaitPromise); err != nil || moved > 0.1 {
		b.t.Errorf("%s: what is seen moves by %v (%v)", name, moved, err)
	}
	b.t.Logf("%s: first paint after %s ms", name, b.value(`Math.round(performance.getEntriesByName("first-contentful-paint")[0]?.startTime)`))
}

// The picture that the README begins with, where it is asked for.
func TestPictureOfTheReadme(t *testing.T) {
	b := openTab(t)
	s := scene(t, b)
	b.look(1200, 1228, "light")
	b.open(s.url + "/console/signups/acme-77")
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
	if story := b.text("#story"); !strings.Contains(story, "adopted") || !strings.Contains(story, "2 side by side") {
		t.Errorf("the story is %s", story)
	}
	path := os.Getenv("CONSOLE_PICTURE")
	if path == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(path, picture, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
