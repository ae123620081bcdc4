// The worklist: a cursor by keyboard, and what changes meanwhile. Nothing moves under the cursor: a row that changed is marked in its
// place, and new ones are announced and come in when the reader asks for them.
import { isTyping } from "./console.js";

const list = document.getElementById("worklist");
const body = document.getElementById("rows");
const fresh = document.getElementById("fresh");
const live = document.getElementById("live");
const REMEMBERED = "worklist-cursor";
const added = new Set();
let here = null;

const rows = () => [...body.rows];
const rowOf = (id) => rows().find((each) => each.dataset.id === id);

function stand(row, focus = true) {
  for (const each of body.querySelectorAll("tr.here")) each.classList.remove("here");
  for (const each of body.querySelectorAll("a[tabindex='0']")) each.tabIndex = -1;
  here = row?.dataset.id ?? null;
  if (!row) return;
  row.classList.add("here");
  const link = row.querySelector("a");
  link.tabIndex = 0;
  sessionStorage.setItem(REMEMBERED, here);
  if (focus) link.focus({ preventScroll: true }), row.scrollIntoView({ block: "nearest" });
}

function step(by) {
  const all = rows();
  const at = all.findIndex((each) => each.dataset.id === here);
  stand(all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))]);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e6, End: 1e6 }[event.key];
  if (by) event.preventDefault(), step(by);
});
body.addEventListener("focusin", (event) => stand(event.target.closest("tr"), false));

// Rows as the server drew them, with what only this page knows: which are the reader's own.
function dress(row) {
  row.classList.toggle("mine", row.dataset.holder === list.dataset.me);
}

function announce() {
  fresh.hidden = added.size === 0;
  fresh.textContent = list.dataset.fresh.replace("{count}", added.size);
}

function place(told) {
  const old = rowOf(told.id);
  if (!old) {
    told.stands ? added.add(told.id) : added.delete(told.id);
    return;
  }
  const made = document.createElement("tbody");
  made.innerHTML = told.html; // drawn by the server, which escapes whatever it is given
  const row = made.rows[0];
  const focused = old.contains(document.activeElement);
  row.classList.add(told.stands ? "changed" : "left");
  row.querySelector(".told").textContent = told.stands ? list.dataset.changed : list.dataset.left;
  dress(row);
  old.replaceWith(row);
  if (row.dataset.id === here) stand(row, focused);
}

// The list anew, with the cursor on the screening on which it stood.
async function again() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const before = here;
  body.replaceChildren(...page.getElementById("rows").children);
  document.getElementById("pager").replaceChildren(...page.getElementById("pager").childNodes);
  document.querySelector(".queues").replaceWith(page.querySelector(".queues"));
  rows().forEach(dress);
  added.clear();
  announce();
  stand(rowOf(before) ?? body.rows[0]);
}
fresh.addEventListener("click", again);

let counting = 0;
function count() {
  if (counting) return;
  counting = setTimeout(async () => {
    counting = 0;
    const answer = await fetch(`/worklist/counts${location.search}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    for (const [queue, number] of Object.entries(await answer.json()))
      list.querySelector(`[data-queue="${queue}"] .count`).textContent = number;
  }, 1000 + 2000 * Math.random());
}

let heard = performance.now();
function hear(says) {
  heard = performance.now();
  live.textContent = says ? list.dataset.live : list.dataset.notLive;
  live.classList.toggle("off", !says);
}

const source = new EventSource(`/worklist/events${location.search}`);
let opened = false;
source.addEventListener("open", () => {
  hear(true);
  if (opened) fresh.hidden = false, (fresh.textContent = list.dataset.again);
  opened = true;
  count();
});
source.addEventListener("beat", () => hear(true));
source.addEventListener("rows", (event) => {
  hear(true);
  JSON.parse(event.data).forEach(place);
  announce();
  count();
});
source.addEventListener("again", () => ((fresh.hidden = false), (fresh.textContent = list.dataset.again), count()));
source.addEventListener("ended", () => source.close());
source.addEventListener("error", () => hear(false));
addEventListener("pagehide", () => source.close());

// Minutes go by on the couch.
setInterval(() => {
  if (performance.now() - heard > 15_000) hear(false);
  for (const row of body.querySelectorAll("tr[data-opened]")) {
    const there = Math.max(0, (Date.now() - Number(row.dataset.opened)) / 1000);
    row.querySelector(".couch1").textContent = list.dataset.couchFor.replace("{minutes}", Math.floor(there / 60));
    if (!row.dataset.usual) continue;
    const left = Number(row.dataset.usual) - there;
    row.querySelector(".couch2").textContent = left > 0 ? list.dataset.couchLeaves.replace("{minutes}", Math.ceil(left / 60)) : list.dataset.couchOver;
  }
}, 15_000);

rows().forEach(dress);
stand(rowOf(sessionStorage.getItem(REMEMBERED)) ?? body.rows[0]);
