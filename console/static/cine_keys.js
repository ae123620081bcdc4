// Keys and buttons of the reading page. Those that act while they are held are HOLDS; others act once.

import { isTyping } from "./console.js";

export const HOLDS = { outline: "outline", despeckle: "smooth", loupe: "lens" };
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export function listen(cine, root) {
  for (const each of root.querySelectorAll("[data-do]")) {
    const name = each.dataset.do;
    if (!HOLDS[name]) {
      each.addEventListener("click", () => cine.do(name));
      continue;
    }
    each.addEventListener("pointerdown", () => cine.hold(name, true));
    for (const end of ["pointerup", "pointerleave", "keyup", "blur"]) each.addEventListener(end, () => cine.hold(name, false));
    each.addEventListener("keydown", (event) => ["Enter", " "].includes(event.key) && (event.preventDefault(), cine.hold(name, true)));
  }
  const held = (key) => root.querySelector(`[data-press="${CSS.escape(key)}"]`)?.dataset.do;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest?.("button, a, summary, input") && [" ", "Enter"].includes(event.key)) return;
    if (cine.tool?.key(event) || moves(cine, event)) return void event.preventDefault();
    const name = held(event.key);
    if (!name) return;
    event.preventDefault();
    if (HOLDS[name]) cine.hold(name, true);
    else cine.do(name);
  });
  document.addEventListener("keyup", (event) => HOLDS[held(event.key)] && cine.hold(held(event.key), false));
  addEventListener("blur", () => Object.keys(HOLDS).forEach((name) => cine.hold(name, false)));
}

// Arrows that pan, jump or move the cross while measuring. Whether the key meant something.
function moves(cine, event) {
  const way = WAYS[event.key];
  const { measure, active } = cine;
  if (measure.on && way) {
    const far = event.shiftKey ? 10 : 1;
    measure.move(way[0] * far, way[1] * far);
  } else if (measure.on && event.key === "Enter") {
    if (measure.cross) measure.put(measure.cross);
  } else if (measure.on && event.key === "Backspace") {
    measure.back();
  } else if (measure.on && event.key === "Escape") {
    cine.do("measure");
  } else if (way && event.shiftKey) {
    active.pan(-60 * way[0], -60 * way[1]);
  } else if (event.key === "PageDown" || event.key === "PageUp") {
    const far = measure.on ? 1 : 10;
    cine.go(active.place + (event.key === "PageDown" ? far : -far));
  } else return false;
  return true;
}
