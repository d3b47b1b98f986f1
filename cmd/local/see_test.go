//go:build browser

package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func TestSignupIsSeenToBecomeActive(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/break")
	b.click("#latency-3") // 3 s a call, so that it can be seen
	b.until(`document.getElementById("latency-3").ariaPressed === "true"`)
	b.open(s.url + "/")
	go func() { _, _ = s.curl(t, "POST", "/signups", `{"signup_id":"acme-99","company":"Acme Telecom"}`) }()
	b.until(`document.getElementById("row-acme-99")?.innerText.includes("pending")`)
	b.until(`document.getElementById("row-acme-99").innerText.includes("active")`)
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
	if got := b.numbers(); got != "3 3 0" {
		t.Errorf("the numbers are %s", got)
	}
	b.until(`document.getElementById("say").textContent === "3 trunks, 3 active, 0 pending"`)
}

func TestLostAnswerIsSeenToBeAdopted(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/break")
	b.click("#b-lose")
	b.until(`document.getElementById("b-lose").ariaChecked === "true"`)
	b.click(`button[value="one"]`)
	b.until(`document.getElementById("sent").innerText.includes("HTTP 202 × 1")`)
	b.until(`document.getElementById("b-lose").ariaChecked === "false"`)
	b.until(`document.getElementById("newest").querySelector("tbody tr").innerText.includes("active")`)
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
	if got := b.numbers(); got != "3 3 0" {
		t.Errorf("the numbers are %s", got)
	}
	b.click("#newest tbody a")
	b.until(`document.getElementById("story")?.innerText.includes("reconciler, try 2")`)
	story, seen := b.text("#story"), b.text("#at-fake")
	if !strings.Contains(story, "adopted") || !strings.Contains(story, "POST …/trunks") || !strings.Contains(seen, "nothing: the answer was lost") {
		t.Errorf("the story is\n%s\n%s", story, seen)
	}
}

func TestFiftyDuplicatesAreSeenToMakeOneTrunk(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/break")
	b.click(`button[value="same"]`)
	b.until(`document.getElementById("sent").innerText.includes("50 of 50")`)
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
	if got := b.numbers(); got != "3 3 0" {
		t.Errorf("the numbers are %s", got)
	}
	b.click("#newest tbody a")
	b.until(`document.querySelectorAll("#story details.lane").length === 50`)
	// What somebody has opened stays so when the page hears of a change.
	b.click("#lane-0-7 summary")
	b.until(`document.getElementById("lane-0-7").open`)
	if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"acme-99","company":"Acme"}`); status != 201 {
		t.Fatal(status, body)
	}
	b.until(`document.getElementById("n-active").textContent === "4"`)
	if got := b.value(`document.getElementById("lane-0-7").open`); got != "true" {
		t.Errorf("it is open: %s", got)
	}
}

// A click that begins on a link and ends on another copy of it goes nowhere.
func TestWhatIsShownStaysTheSameElementWhenThePageHearsOfAChange(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/send")
	signup := func(id string) {
		if status, body := s.curl(t, "POST", "/signups", `{"signup_id":"`+id+`","company":"Acme"}`); status != 201 {
			t.Fatal(status, body)
		}
	}
	signup("acme-99")
	for i, page := range []struct{ path, link string }{
		{"/", `#row-acme-99 a`},
		{"/console/break", `#row-acme-99 a`},
		{"/console/vendor", `#trunks a[href$="/acme-99"]`},
		{"/console/signups/acme-99", `#lane-0-0 summary`},
	} {
		b.open(s.url + page.path)
		b.value(`window.link = document.querySelector(` + quoted(page.link) + `)`)
		before := b.text("#n-trunks")
		signup(fmt.Sprint("other-", i))
		if page.path == "/console/signups/acme-99" {
			s.curl(t, "POST", "/signups", `{"signup_id":"acme-99","company":"Acme"}`)
			b.until(`document.querySelectorAll("#story details.lane").length === 2`)
		}
		b.until(`document.getElementById("n-trunks").textContent !== ` + quoted(before))
		if got := b.value(`[window.link.isConnected, window.link === document.querySelector(` + quoted(page.link) + `)].join()`); got != "true,true" {
			t.Errorf("%s: %s: %s", page.path, page.link, got)
		}
	}
}

// What the page does to a part of it, on parts that it hasn't got: the outcome is the
// fetched copy, and of what has a name nothing is touched that needn't be.
func TestAPartBecomesWhatItIsInTheFetchedCopy(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/")
	rows := func(ids ...string) (text string) {
		for _, id := range ids {
			text += "\n  <p id='" + id + "'><button id='in-" + id + "'>" + id + "</button></p>"
		}
		return text + "\n"
	}
	for name, test := range map[string]struct {
		before, after string
		focused       string // and still is
		touched       string // names of what was taken out
	}{
		"one comes first":       {rows("b", "c"), rows("a", "b", "c"), "in-b", ""},
		"one comes between":     {rows("a", "c"), rows("a", "b", "c"), "in-c", ""},
		"the first goes":        {rows("a", "b", "c"), rows("b", "c"), "in-b", "a"},
		"one between goes":      {rows("a", "b", "c"), rows("a", "c"), "in-c", "b"},
		"the last goes":         {rows("a", "b", "c"), rows("a", "b"), "in-b", "c"},
		"one comes, one goes":   {rows("b", "c", "d"), rows("a", "b", "d"), "in-d", "c"},
		"two change places":     {rows("a", "b", "c"), rows("b", "a", "c"), "in-b", "b"},
		"odd names":             {rows("a b", "__proto__", "1.2:3#[x]", "ü"), rows("__proto__", "1.2:3#[x]", "ü", "constructor"), "in-ü", "a b"},
		"all are new":           {rows("a", "b"), rows("c", "d"), "", "a b"},
		"none, then some":       {"\n<p>None yet.</p>\n", "\n<table><tbody>" + rows() + "</tbody></table>\n", "", ""},
		"another kind":          {"<p id='a'>1</p><p id='b'>2</p>", "<div id='a'>1</div><p id='b'>2</p>", "", "a"},
		"text and attributes":   {"<p id='a' class='x' hidden>1<b>2</b>3</p>", "<p id='a' class='y'>4<b title='t'>5</b></p>", "", ""},
		"a link leads there":    {"<p>1 <a href='/x' id='l'>x</a></p>", "<p>2 <a href='/x' id='l'>y</a></p>", "l", ""},
		"a link leads on":       {"<p>1 <a href='/x' id='l'>x</a></p>", "<p>1 <a href='/y' id='l'>x</a></p>", "", "l"},
		"what somebody changed": {"<details id='d'><summary id='s'>1</summary></details>", "<details id='d'><summary id='s'>2</summary>3</details>", "s", ""},
		"a drawing":             {"<svg viewBox='0 0 1 1'><rect x='1'><title>1</title></rect></svg>", "<svg viewBox='0 0 2 2'><rect x='2'><title>2</title></rect><rect x='3'></rect></svg>", "", ""},
	} {
		got := b.value(`(() => {
			const part = document.createElement("div"), next = document.createElement("div"), focused = ` + quoted(test.focused) + `;
			part.innerHTML = ` + quoted(test.before) + `;
			next.innerHTML = ` + quoted(test.after) + `;
			document.body.append(part);
			if (focused) document.getElementById(focused).focus();
			const watch = new MutationObserver(() => {});
			watch.observe(part, {childList: true, subtree: true});
			become(part, next);
			const touched = watch.takeRecords().flatMap(r => [...r.removedNodes]).filter(n => n.id).map(n => n.id);
			const seen = [part.isEqualNode(next), document.activeElement.id, touched.join(" ")].join(", ");
			part.remove();
			return seen;
		})()`)
		if want := "true, " + test.focused + ", " + test.touched; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestKilledWorkerIsSeenToBeTakenOver(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/break")
	b.click("#b-kill")
	b.until(`document.getElementById("b-kill").ariaChecked === "true"`)
	b.click(`button[value="one"]`)
	b.until(`document.getElementById("sent").innerText.includes("no answer × 1")`)
	if got := b.numbers(); got != "3 2 1" {
		t.Errorf("the numbers are %s", got)
	}
	b.click("#newest tbody a")
	b.until(`document.getElementById("record")?.innerText.includes("A try holds it until")`)
	b.until(`document.getElementById("story").innerText.includes("adopted")`) // 12 s later
	b.until(`document.getElementById("balance").dataset.state === "equal"`)
}

func TestHostileCompanyIsShownAsText(t *testing.T) {
	const company = `<script>window.taken = 1</script><img src=x onerror="window.taken = 2">` + "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW"
	id := "mallory-" + strings.Repeat("x", 120)
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/send")
	b.do(chromedp.SetValue(chromedp.CSS("textarea"), `{"signup_id": `+quoted(id)+`, "company": `+quoted(company)+`}`))
	b.click(`button[value="1"]`)
	b.until(`document.getElementById("answers")?.innerText.includes("HTTP 201")`)
	for path, selector := range map[string]string{"/": "#row-" + id, "/console/signups/" + id: "#record", "/console/send?id=1": "#sent"} {
		b.open(s.url + path)
		b.until(`document.querySelector("` + selector + `").textContent.includes("<script>") || document.querySelector("` + selector + `").textContent.includes("\\u003cscript")`)
		b.look(360, 800, "light")
		if over := b.value(`document.documentElement.scrollWidth - document.documentElement.clientWidth`); over != "0" {
			t.Errorf("%s is %s px wider than the screen", path, over)
		}
		if got := b.value(`[document.querySelectorAll("main script, main img").length, window.taken].join()`); got != "0," {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestPageWorksByKeyboard(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	b.open(s.url + "/console/break")
	b.do(chromedp.KeyEvent(kb.Tab))
	if got := b.value(`document.activeElement.className`); got != "skip" {
		t.Errorf("the first tab goes to %q", got)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	b.until(`document.activeElement.id === "main"`)
	b.do(chromedp.Focus(chromedp.CSS("#b-lose")), chromedp.KeyEvent(" "))
	b.until(`document.getElementById("b-lose").ariaChecked === "true"`)
	b.until(`document.activeElement.id === "b-lose"`) // though the page has heard of a change
}

func TestPageWorksWithoutScript(t *testing.T) {
	s := start(t, env(t.TempDir()))
	b := openTab(t)
	if _, err := chromedp.Call(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(s.url + "/console/break"))
	b.click("#b-lose")
	b.do(chromedp.WaitVisible(chromedp.CSS(`#b-lose[aria-checked="true"]`)))
	b.do(chromedp.Navigate(s.url + "/console/send"))
	b.click(`button[value="1"]`)
	b.do(chromedp.WaitVisible(chromedp.CSS("#sent table")))
	b.do(chromedp.Navigate(s.url+"/"), chromedp.WaitVisible(chromedp.CSS("#row-acme-42")))
	b.click("#row-acme-42 a")
	b.do(chromedp.WaitVisible(chromedp.CSS("#story table")))
}
