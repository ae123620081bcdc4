"use strict";

// Single keys press what carries them, except while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  const at = event.target;
  if (at.matches("input[type=text], input[type=number], select, textarea")) return;
  const found = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key.toLowerCase());
  if (found) {
    event.preventDefault();
    found.click();
  }
});

document.querySelectorAll("[data-print]").forEach((each) => each.addEventListener("click", () => window.print()));

// The code that stands behind the # of the address: it never reaches the server by itself, nor the browser's history.
const door = document.querySelector("[data-door]");
if (door && location.hash.length > 1) {
  door.elements.code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  door.submit();
}

// A choice that is its own button.
document.querySelectorAll("[data-submits]").forEach((each) => each.addEventListener("change", () => each.form.submit()));

// A place that was chosen leaves the keys to the buttons again; and nobody starts or stops a sweep twice.
document.querySelectorAll("#capture form").forEach((each) => {
  each.querySelectorAll("select").forEach((choice) => choice.addEventListener("change", () => choice.blur()));
  each.addEventListener("submit", () => { each.querySelector("button").disabled = true; });
});

// Places of earlier examinations, one at a time; without this script all of them stand below each other.
const turns = document.querySelector("[data-turns]");
if (turns) {
  const places = [...document.querySelectorAll("[data-turn]")];
  let shown = 0;
  const turn = () => places.forEach((each, number) => { each.hidden = number !== shown; });
  turns.hidden = false;
  turns.addEventListener("click", () => {
    shown = (shown + 1) % places.length;
    turn();
  });
  turn();
}

// What comes while she is scanned. Texts are put in as text, never as HTML.
const live = document.querySelector("[data-live]");
if (live) {
  const at = (id) => document.getElementById(id);
  const cell = (row, text, bad) => {
    const made = row.insertCell();
    made.textContent = text;
    made.className = bad ? "bad" : "good";
  };
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  let seconds = Number(at("elapsed").dataset.seconds);
  let began = Date.now();
  const tell = () => {
    const now = seconds === 0 ? 0 : seconds + Math.floor((Date.now() - began) / 1000);
    at("elapsed").textContent = clock(now);
  };
  const lamp = at("lamp");
  let heard = Date.now();
  // A light that nobody renews is no light: what stood there may be long past.
  const unknown = () => {
    lamp.className = "lamp red";
    lamp.querySelector(".bulb").textContent = "?";
    lamp.querySelector(".sentence").textContent = live.dataset.unknown;
    lamp.querySelector("ul").replaceChildren();
  };
  const show = (state) => {
    heard = Date.now();
    at("frames").textContent = state.frames;
    at("lost").textContent = state.lost;
    seconds = state.elapsed_s;
    began = Date.now();
    tell();
    at("sides").replaceChildren();
    state.sides.forEach((side) => {
      const row = at("sides").insertRow();
      row.insertCell().textContent = side.place;
      row.insertCell().textContent = side.frames;
    });
    const table = at("latest");
    const body = table.tBodies[0];
    body.replaceChildren();
    state.latest.forEach((each) => {
      const row = body.insertRow();
      row.insertCell().textContent = each.frame;
      row.insertCell().textContent = each.place;
      cell(row, each.contact ? table.dataset.yes : table.dataset.contact, !each.contact);
      cell(row, each.gain, !each.gain_good);
      cell(row, each.blurred ? table.dataset.blurred : table.dataset.yes, each.blurred);
      cell(row, each.shadow ? table.dataset.shadow : table.dataset.yes, each.shadow);
    });
    const capture = at("capture");
    if (capture && capture.dataset.recording !== state.recording) location.reload();
    const told = state.preview;
    at("frozen").textContent = state.frozen || "";
    at("frozen").hidden = !state.frozen;
    at("ended").textContent = told.ended || "";
    at("ended").hidden = !told.ended;
    at("plane").textContent = told.plane || "";
    at("plane").hidden = !told.plane;
    at("again").firstChild.textContent = told.again || "";
    at("again").hidden = !told.again;
    at("previewed").textContent = told.hint;
    const outlined = at("outlined");
    outlined.hidden = !told.picture;
    if (told.picture && outlined.getAttribute("src") !== told.picture) outlined.src = told.picture;
    const earlier = at("earlier");
    if (state.silenced && earlier.querySelector("figure")) earlier.hidden = true; // loaded before her consent was withdrawn
    lamp.className = `lamp ${state.green ? "green" : "red"}`;
    lamp.querySelector(".bulb").textContent = state.green ? "✓" : "✗";
    lamp.querySelector(".sentence").textContent = state.sentence;
    lamp.querySelector("ul").replaceChildren(
      ...state.reasons.map((reason) => {
        const line = document.createElement("li");
        line.textContent = reason;
        return line;
      }),
    );
  };
  setInterval(() => {
    tell();
    if (Date.now() - heard > 15000) unknown();
  }, 1000);
  const events = new EventSource(live.dataset.live);
  events.onerror = unknown;
  events.onmessage = (message) => show(JSON.parse(message.data));
}
