// The form in which a reader concludes: choosing by keys, and what the choices come to while choosing.

import { isTyping, post } from "./console.js";

const form = document.querySelector("[data-signing]");
const section = document.getElementById("signing");

// q: to the first line of which nothing is chosen yet.
document.querySelector("[data-to-signing]")?.addEventListener("click", () => {
  const lines = shownLines();
  (lines.find((line) => !line.querySelector("input:checked")) ?? lines[0] ?? section).focus();
});

// What is folded away cannot have the focus, and would hold the cursor up.
function shownLines(which = ".line") {
  return form ? [...form.querySelectorAll(which)].filter((line) => line.checkVisibility()) : [];
}

function move(by, which = ".line") {
  const lines = shownLines(which);
  const here = lines.indexOf(document.activeElement?.closest(which));
  lines[Math.min(lines.length - 1, Math.max(0, here + by))]?.focus();
}

function choose(input) {
  if (!input) return false;
  input.checked = input.type === "checkbox" ? !input.checked : true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

// Whatever is chosen in a line of one choice, the next line is where somebody goes on.
function chooseIn(line, input) {
  if (!choose(input)) return;
  if (input.type === "radio") move(1);
}

const STOPS = ".line, summary, .short input"; // where arrows stop: a choice goes on to the next line of choices
const KEYS = {
  ArrowDown: () => move(1, STOPS),
  ArrowUp: () => move(-1, STOPS),
  ArrowRight: (line) => rove(line, 1),
  ArrowLeft: (line) => rove(line, -1),
  Enter: (line) => line.contains(document.activeElement) && document.activeElement.matches("input") && choose(document.activeElement),
  Delete: (line) => line.closest("[data-own-finding]")?.querySelector("[data-drop]").click(),
  Escape: () => document.querySelector("[data-stage]")?.focus(),
  c: (line) => line.dataset.suggested && chooseIn(line, line.querySelector(`input[value="${line.dataset.suggested}"]`)),
  u: (line) => chooseIn(line, line.querySelector('input[value="undetermined"]')),
  l: (line) => chooseIn(line, verdict(line, "lesion")),
  x: (line) => chooseIn(line, verdict(line, "no_lesion")),
  e: (line) => line.closest("[data-side]")?.querySelector("[data-take]:not([hidden])")?.click(),
};

// Choices beyond the ninth have no number: → and ← go to them, and space or Enter chooses. (By itself Enter would sign.)
function rove(line, by) {
  const inputs = line ? [...line.querySelectorAll("input")] : [];
  const here = inputs.indexOf(document.activeElement);
  inputs[Math.min(inputs.length - 1, Math.max(0, here + by))]?.focus();
}

function verdict(line, value) {
  return line.closest("[data-finding]")?.querySelector(`.line[data-line="verdict"] input[value="${value}"]`);
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// Before the keys of the page and of the viewer see it: inside the conclusion a key means what it says there.
// A key that is kept down means it once, for the line under it changes; arrows go on, and letters that are typed.
document.addEventListener(
  "keydown",
  (event) => {
    if (!form || !section.contains(event.target)) return;
    if (signs) return swallow(event);
    const again = event.repeat && !event.key.startsWith("Arrow");
    if (event.ctrlKey && event.key === "Enter") {
      swallow(event);
      return again || form.requestSubmit(form.querySelector("[data-sign]"));
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTyping(event.target)) {
      if (!event.target.matches("input") || !["ArrowDown", "ArrowUp", "Enter", "Escape"].includes(event.key)) return;
      swallow(event);
      return again || KEYS[event.key === "Enter" ? "ArrowDown" : event.key]();
    }
    const line = event.target.closest(".line");
    if (!line && !["ArrowDown", "ArrowUp", "Escape"].includes(event.key)) return;
    const inputs = line ? [...line.querySelectorAll("input")] : [];
    const number = /^[1-9]$/.test(event.key);
    if (!number && !KEYS[event.key]) return;
    swallow(event);
    if (again) return;
    if (number) chooseIn(line, inputs[Number(event.key) - 1]);
    else KEYS[event.key](line);
  },
  true,
);

if (form) {
  form.addEventListener("change", (event) => {
    const finding = event.target.closest("[data-finding]");
    if (finding && !("ownFinding" in finding.dataset)) {
      const lesion = finding.querySelector('.line[data-line="verdict"] input[value="lesion"]').checked;
      finding.querySelector(".terms").hidden = !lesion;
    }
    const side = event.target.closest("[data-side]");
    if (side) {
      const follow = side.querySelector('input[value="follow_up"]:checked');
      side.querySelector("[data-months-of]").hidden = !follow;
    }
    // A word and "cannot tell" exclude each other where several words may be chosen.
    const line = event.target.closest('.line[data-line="word"][role="group"]');
    if (line && event.target.checked) {
      const none = event.target.value === "undetermined" || event.target.value === "none";
      for (const other of line.querySelectorAll("input:checked")) {
        const otherNone = other.value === "undetermined" || other.value === "none";
        if (other !== event.target && (none || otherNone)) other.checked = false;
      }
    }
    derive();
  });
  form.querySelector("[data-add]").addEventListener("click", addOwn);
  form.addEventListener("click", ({ target }) => {
    const finding = target.closest("[data-drop]")?.closest("[data-own-finding]");
    if (!finding) return;
    finding.remove();
    move(0);
    derive();
  });
  for (const button of form.querySelectorAll("[data-take]")) {
    button.addEventListener("click", () => {
      const side = button.closest("[data-side]");
      const months = side.querySelector("[data-months-of] input");
      if (button.dataset.months) months.value = button.dataset.months;
      const input = side.querySelector(`input[value="${button.dataset.action}"]`);
      input.checked = true;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
  // What was shown up to now is part of what is signed, so it is sent before. Meanwhile nothing can be chosen: what is
  // signed is what stood there.
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (signs) return;
    hold(true);
    sendLooked().then(() => form.submit());
  });
  // A sweep that was opened meanwhile may settle what does not fit together.
  let opened = "";
  document.addEventListener("reading:looked", ({ detail }) => {
    const now = Object.keys(detail).filter((sweep) => detail[sweep] > 0).join();
    if (now !== opened) derive();
    opened = now;
  });
  addEventListener("pageshow", ({ persisted }) => hold(signs && !persisted)); // persisted: somebody went back to it
  document.getElementById("signing-error")?.scrollIntoView({ block: "nearest" });
}

let signs = false; // whether the form is on its way

// `inert` lets go of the focus with the next picture of the page alone, so that keys would still reach the form.
function hold(held) {
  signs = form.inert = held;
  if (held && form.contains(document.activeElement)) document.activeElement.blur();
  for (const button of form.querySelectorAll("[data-sign]")) button.disabled = held;
}

// A finding of the reader's own, on the frame that is on the screen.
function addOwn() {
  if (signs) return;
  const says = form.querySelector("[data-add-says]");
  const pane = document.querySelector("[data-reading]").cine?.active;
  const blank = pane?.drawn && !pane.sweep.earlier && form.querySelector(`[data-blank="${pane.sweep.organ}"]`);
  const key = OWN_KEYS.find((each) => !form.querySelector(`[data-finding="${each}"]`));
  says.textContent = blank && key ? "" : says.dataset.noFrame;
  if (!blank || !key) return;
  const made = document.createElement("template");
  made.innerHTML = blank.innerHTML.replaceAll("BLANK", key); // drawn by the server
  const finding = made.content.firstElementChild;
  finding.querySelector("[data-place]").textContent = pane.sweep.title;
  finding.querySelector("[data-frame]").textContent = pane.drawn.frame;
  finding.querySelector(`[name="f.${key}.frame"]`).value = pane.drawn.frame;
  finding.querySelector(`[name="f.${key}.side"]`).value = pane.sweep.laterality ?? "none"; // as its title shows it
  const measured = document.querySelector("[data-reading]").cine.measure.longestMm(pane.drawn.frame);
  if (measured) finding.querySelector(`[name="f.${key}.mm"]`).value = measured.toFixed(1);
  form.querySelector("[data-own]").append(finding);
  finding.querySelector(".line").focus();
  derive();
}

const OWN_KEYS = Array.from({ length: 9 }, (_, at) => `own${at + 1}`);

let asking = 0;
const AGAIN_MS = 700;
const LOOKED_MS = 2000;

// Has the centre know which frames were shown; a link that is away keeps nobody waiting for longer than LOOKED_MS.
function sendLooked() {
  const looked = document.querySelector("[data-reading]").cine?.looked;
  return Promise.race([looked?.send(), new Promise((resolve) => setTimeout(resolve, LOOKED_MS))]);
}

// Asks what the choices come to. Where nothing came back it asks again, so that what is shown is of the newest choices.
async function derive() {
  const mine = ++asking;
  form.dataset.deriving = "true";
  for (;;) {
    let answer = null;
    await sendLooked();
    if (mine !== asking) return;
    try {
      answer = await post(form.dataset.derive, new URLSearchParams(new FormData(form)));
      if (answer.ok) {
        const live = await answer.json();
        if (mine === asking) show(live);
      }
    } catch {
      answer = null;
    }
    if (mine !== asking) return;
    if (answer && answer.status < 500) break;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    if (mine !== asking) return;
  }
  delete form.dataset.deriving;
}

function put(element, text) {
  element.textContent = text ? element.dataset.text.replace("{text}", text) : "";
}

function list(box, lines) {
  box.hidden = !lines.length;
  box.querySelector("ul").replaceChildren(
    ...lines.map((text) => {
      const item = document.createElement("li");
      item.textContent = text;
      return item;
    }),
  );
}

function show(live) {
  for (const [key, lines] of Object.entries(live.findings)) {
    const line = form.querySelector(`[data-live="${key}"]`);
    if (line) put(line, lines.join("; "));
  }
  for (const [key, told] of Object.entries(live.sides)) {
    const side = form.querySelector(`[data-side="${key}"]`);
    if (!side) continue;
    put(side.querySelector("[data-worst]"), told.worst);
    const rule = side.querySelector("[data-rule]");
    rule.querySelector("span").textContent = told.recommended ? rule.dataset.text.replace("{text}", told.recommended) : "";
    const take = rule.querySelector("[data-take]");
    take.hidden = !told.action;
    take.dataset.action = told.action;
    take.dataset.months = told.months;
  }
  form.querySelector("[data-looked]").textContent = live.looked;
  list(form.querySelector("[data-lacking]"), live.lacking);
  const despite = form.querySelector("[data-despite]");
  list(despite, live.despite);
  const read = despite.querySelector("input");
  if (read.value !== live.digest) read.checked = false;
  read.value = live.digest;
}
