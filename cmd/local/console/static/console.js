// What the page does beside what a page does by itself: it fetches itself again when
// the server says that something has changed, and takes over the parts marked
// data-live. Without it all is there, and a reload shows what is new.
"use strict";

// replaceLive makes the parts of this page what they are in another copy of it. An
// element that is in both stays the same one: a click that has begun on it, the focus,
// what is scrolled, and what somebody has opened.
function replaceLive(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (next) become(part, next);
  }
  count();
  say();
}

// become makes an element what the other one is.
function become(element, next) {
  for (const { name } of [...element.attributes]) {
    if (!next.hasAttribute(name) && !opened(element, name)) element.removeAttribute(name);
  }
  for (const { name, value } of next.attributes) {
    if (element.getAttribute(name) !== value && !opened(element, name)) element.setAttribute(name, value);
  }
  const named = new Map([...next.children].map((child) => [child.id, child]));
  for (const child of [...element.children]) if (child.id && !alike(child, named.get(child.id))) child.remove();
  const kept = new Map([...element.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = element.firstChild; // all before it is done
  for (const child of next.childNodes) {
    if (kept.has(child.id)) { // what has no name before it is in nobody's place any more
      while (at && !kept.has(at.id)) at = removed(at);
    }
    const same = kept.get(child.id) ?? at;
    if (!alike(same, child)) {
      element.insertBefore(document.importNode(child, true), at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else move(element, same, at);
    if (same.nodeType === Node.ELEMENT_NODE) become(same, child);
    else if (same.data !== child.data) same.data = child.data;
  }
  while (at) at = removed(at);
}

// removed takes a node away and returns the one behind it.
function removed(node) {
  const after = node.nextSibling;
  node.remove();
  return after;
}

// move puts a child before another one, with the focus where the browser can.
function move(element, child, before) {
  if (element.moveBefore) element.moveBefore(child, before);
  else element.insertBefore(child, before);
}

// opened tells what is the reader's to change, not the server's.
const opened = (element, name) => element.tagName === "DETAILS" && name === "open";

// alike tells whether a node can become another one. A link that leads elsewhere can't:
// a click that has begun on it would go there.
const alike = (node, next) => node?.nodeName === next?.nodeName && node.id === next.id && leads(node) === leads(next);

const leads = (node) => (node.nodeName === "A" ? node.getAttribute("href") : null);

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
