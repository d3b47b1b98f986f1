// What the page does beside what a page does by itself: it fetches itself again when
// the server says that something has changed, and takes over the parts marked
// data-live. Without it all is there, and a reload shows what is new.
"use strict";

const shown = new Map(); // what each part was made of, by its id

// replaceLive puts the parts of another copy of this page into it. What somebody has
// opened, scrolled or focused stays so.
function replaceLive(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next || next.outerHTML === shown.get(part.id)) continue;
    shown.set(part.id, next.outerHTML);
    const focused = part.contains(document.activeElement) ? place(document.activeElement, part) : null;
    const open = new Map([...part.querySelectorAll("details[id]")].map((d) => [d.id, d.open]));
    part.replaceChildren(...document.importNode(next, true).childNodes);
    if (next.dataset.state) part.dataset.state = next.dataset.state;
    for (const d of part.querySelectorAll("details[id]")) if (open.has(d.id)) d.open = open.get(d.id);
    if (focused) find(focused, part)?.focus({ preventScroll: true });
  }
  count();
  say();
}

// place says which of a part's elements that can have the focus it is.
function place(element, part) {
  return { id: element.id, href: element.getAttribute("href"), tag: element.tagName, nth: [...part.querySelectorAll(element.tagName)].indexOf(element) };
}

function find(was, part) {
  const all = [...part.querySelectorAll(was.tag)];
  return all.find((e) => (was.id && e.id === was.id) || (was.href && e.getAttribute("href") === was.href)) ?? (was.id || was.href ? null : all[was.nth]);
}

let busy = false;
let again = false;

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const answer = await fetch(location.href.split("#")[0]);
    if (answer.ok) replaceLive(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    // the stream says whether the server is there
  }
  busy = false;
  if (again) {
    again = false;
    refresh();
  }
}

let stream = null;

// listen keeps a stream open while the page is to be seen: a browser has few
// connections to one server, for all its tabs.
function listen() {
  const state = document.getElementById("connection");
  const show = (on) => {
    state.dataset.state = on ? "on" : "off";
    state.textContent = on ? "live" : "not live";
  };
  stream?.close();
  stream = null;
  if (document.hidden) return show(false);
  stream = new EventSource("/console/events");
  stream.addEventListener("open", () => show(true));
  stream.addEventListener("error", () => show(false));
  stream.addEventListener("changed", refresh);
}

// count makes the ages of what is shown go on.
function count() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const seconds = Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 1000));
    const text = seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${Math.floor(seconds / 60)} min`
      : seconds < 172800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} days`;
    if (time.textContent !== text) time.textContent = text;
  }
}

// say tells who listens what the numbers have become.
function say() {
  const number = (id) => document.getElementById(id).textContent;
  const text = `${number("n-trunks")} trunks, ${number("n-active")} active, ${number("n-pending")} pending`;
  const status = document.getElementById("say");
  if (status.textContent !== text) status.textContent = text;
}

for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });
}

// A form that only switches something leaves the page where it is.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const action = form.getAttribute("action"); // form.action is a button where one is named so
  if (!["/console/break", "/console/try"].includes(action)) return;
  event.preventDefault();
  const body = new URLSearchParams(new FormData(form, event.submitter));
  try {
    await fetch(action, { method: "post", body, redirect: "manual" });
  } catch {
    // the stream says whether the server is there
  }
  refresh();
});

document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => stream?.close());
setInterval(count, 1000);
say();
listen();
