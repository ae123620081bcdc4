// The reading page: sweeps and stills, played and looked at, by keyboard alone or by pointer.

import { Draw } from "./cine_draw.js";
import { Frames } from "./cine_frames.js";
import { HOLDS, listen } from "./cine_keys.js";
import { Looked } from "./cine_looked.js";
import { Measure } from "./cine_measure.js";
import { Pane } from "./cine_pane.js";
import { Timeline } from "./cine_timeline.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 4];

const root = document.querySelector("[data-reading]");
const words = JSON.parse(document.getElementById("cine-words").textContent);
const data = JSON.parse(document.getElementById("cine-data").textContent);

export class Cine {
  constructor() {
    this.sweeps = data.sweeps.map((sweep) => ({ ...sweep, base: data.base }));
    this.playing = false;
    this.loop = false;
    this.speed = 3;
    this.inStep = false;
    this.blind = data.blind;
    this.due = 0;
    this.stalls = 0;
    this.moved = 0;
    this.tool = null;
    this.at = (name) => root.querySelector(`[data-${name}]`);
    words.reasons = Object.assign({ ...words_of("reason_") }, ...this.sweeps.map((each) => each.reasons));
    this.panes = [...root.querySelectorAll("[data-pane]")].map((each) => new Pane(each, words));
    this.active = this.panes[0];
    this.looked = new Looked((shares) => this.#shares(shares));
    this.timeline = new Timeline(this.at("timeline"), words, (place) => this.go(place));
    data.marks.forEach((each) => this.timeline.marks.add(each));
    this.measure = new Measure(this.active, words, (text) => this.tell(text));
    this.draw = root.querySelector("[data-drawing]") ? new Draw(this, root, words) : null;
    for (const pane of this.panes) this.#wire(pane);
    this.#choices();
    this.open(this.active, this.sweeps[0]);
    this.active.frames.early(data.base);
    listen(this, root);
    this.#machine();
    this.#blind();
    requestAnimationFrame((now) => this.#tick(now));
  }

  open(pane, sweep, place = 0) {
    pane.sweep = sweep;
    pane.open(new Frames(sweep, sweep.base, (what, at) => this.#news(pane, what, at)), place);
    pane.root.querySelector("select").value = sweep.id;
    this.#focus(pane);
    this.#lead(pane);
    for (const row of root.querySelectorAll("[data-sweeps] tr[data-sweep]")) {
      row.dataset.open = String(this.panes.some((each) => each.frames && each.sweep?.id === row.dataset.sweep));
    }
  }

  // Shows a frame of the active pane by its place in the sweep.
  go(place, keeps = false) {
    const pane = this.active;
    if (!pane.frames) return;
    const count = pane.frames.count;
    const next = Math.min(count - 1, Math.max(0, place));
    if (!keeps) this.playing = false;
    this.direction = next < pane.place ? -1 : 1;
    pane.place = next;
    this.#lead(pane);
    const other = this.other();
    if (this.inStep && other?.frames) {
      other.place = count > 1 ? Math.round((next / (count - 1)) * (other.frames.count - 1)) : 0;
      this.#lead(other);
    }
    this.moved = performance.now();
    this.#state();
  }

  // Shows a frame by its id, wherever it is.
  find(frame) {
    const [id, index] = frame.split("/");
    const sweep = this.sweeps.find((each) => each.id === id);
    if (!sweep) return;
    if (this.active.sweep !== sweep) this.open(this.active, sweep);
    this.go(this.timeline.placeOf(Number(index)));
  }

  other() {
    const other = this.panes.find((each) => each !== this.active);
    return other.root.hidden ? null : other;
  }

  play(on) {
    this.playing = on && this.active.frames?.count > 1;
    if (this.playing && !this.loop && this.active.place === this.active.frames.count - 1) this.go(0, true);
    this.due = performance.now();
    this.#state();
  }

  tell(text) {
    this.at("told").textContent = text;
  }

  #lead(pane) {
    pane.frames.lead(pane.place, this.direction ?? 1, this.loop && this.playing);
  }

  #tick(now) {
    const pane = this.active;
    if (this.playing && now >= this.due) {
      const last = pane.place === pane.frames.count - 1;
      const next = last ? 0 : pane.place + 1;
      if (last && !this.loop) this.play(false);
      else if (pane.frames.at(next)) {
        const every = 1000 / (pane.sweep.rate * SPEEDS[this.speed]);
        this.due = Math.max(this.due + every, now - every);
        this.go(next, true);
      } else if (pane.drawn) {
        this.stalls += 1;
        this.due = now;
        root.dataset.stalledAt = String(now);
      }
    }
    const still = !this.playing && now - this.moved > 60;
    for (const each of this.panes) each.show(still);
    requestAnimationFrame((then) => this.#tick(then));
  }

  #news(pane, what, place) {
    if (what === "link") {
      const away = this.at("away");
      away.hidden = pane.frames.online;
      away.textContent = pane.frames.status === 401 ? words.ended : words.away;
    }
    if (what === "withheld") this.tell(words.withheld);
    if (what === "outlines") pane.paint();
    if (what === "frame" && place === pane.place) pane.show(false);
  }

  #wire(pane) {
    pane.layers = [(drawn) => (pane === this.measure.pane ? this.measure.layer(drawn) : null), (drawn) => this.tool?.layer(pane, drawn) ?? null];
    pane.root.addEventListener("drawn", ({ detail }) => {
      if (!performance.getEntriesByName("cine-first-frame").length) performance.mark("cine-first-frame");
      this.looked.add(pane.sweep.base, pane.sweep.id, pane.sweep.frames.index[detail.place]);
      if (pane === this.active) this.#paint();
      if (this.measure.on && this.measure.pane === pane && this.measure.frame !== detail.frame) this.measure.forget();
      this.tool?.drawn(pane, detail);
    });
    const { stage } = pane;
    stage.addEventListener("pointerdown", (event) => {
      this.#focus(pane);
      stage.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      if (event.button === 0 && this.tool?.down(pane, pane.where(event), event)) return;
      if (event.button === 0 && this.measure.on) return void this.measure.put(pane.where(event));
      pane.drag = { x: event.clientX, y: event.clientY, turns: event.button === 2 };
    });
    stage.addEventListener("pointermove", (event) => {
      const box = stage.getBoundingClientRect();
      pane.cursor = [event.clientX - box.left, event.clientY - box.top];
      if (pane.drag) {
        const [x, y] = [event.clientX - pane.drag.x, event.clientY - pane.drag.y];
        Object.assign(pane.drag, { x: event.clientX, y: event.clientY });
        if (pane.drag.turns) this.#turn(y, x);
        else pane.pan(x, y);
      } else if (event.buttons) this.tool?.move(pane, pane.where(event), event);
      if (pane.hold.lens) pane.paint();
    });
    for (const kind of ["pointerup", "pointercancel"]) {
      stage.addEventListener(kind, (event) => {
        pane.drag = null;
        this.tool?.up(pane, pane.where(event), event);
      });
    }
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#focus(pane);
      if (event.ctrlKey) pane.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, pane.cursor);
      else this.go(pane.place + Math.sign(event.deltaY));
      this.#state();
    }, { passive: false });
    pane.root.querySelector("select").addEventListener("change", (event) => {
      const chosen = this.sweeps.find((each) => each.id === event.target.value);
      if (chosen) this.open(pane, chosen);
      event.target.blur();
    });
  }

  #choices() {
    for (const pane of this.panes) {
      const select = pane.root.querySelector("select");
      select.replaceChildren(...this.sweeps.map((each, number) => new Option(`${number + 1}. ${each.earlier ? `${words.earlier}: ` : ""}${each.title}`, each.id)));
      if (pane.sweep) select.value = pane.sweep.id;
    }
  }

  #focus(pane) {
    this.active = pane;
    for (const each of this.panes) each.root.dataset.active = String(each === pane && !this.panes[1].root.hidden);
    if (this.measure.pane !== pane) {
      this.measure.pane = pane;
      this.measure.forget();
    }
    this.timeline.show(pane, (sweep) => this.looked.of(sweep));
    this.#state();
  }

  #paint() {
    const now = performance.now();
    if (this.playing && now - (this.painted ?? 0) < 120) return; // the strip need not move with every frame
    this.painted = now;
    this.timeline.paint();
    if (!this.measure.on && !this.tool && !this.playing) this.tell(this.timeline.text ?? "");
  }

  #state() {
    const pane = this.active;
    if (!pane.frames) return;
    const told = [words.frame.replace("{number}", pane.place + 1).replace("{count}", pane.frames.count)];
    const rate = Math.round(pane.sweep.rate * SPEEDS[this.speed] * 10) / 10;
    if (pane.frames.count > 1) told.push(words.speed.replace("{rate}", rate));
    if (pane.zoom !== 1) told.push(words.zoom.replace("{zoom}", pane.zoom.toFixed(1)));
    if (pane.window.low || pane.window.high !== 255) told.push(words.window.replace("{low}", Math.round(pane.window.low)).replace("{high}", Math.round(pane.window.high)));
    pane.root.querySelector("[data-state]").textContent = told.join(" · ");
    const pressed = { play: this.playing, loop: this.loop, two: !this.panes[1].root.hidden, step: this.inStep, measure: this.measure.on, correct: this.tool !== null };
    for (const [name, on] of Object.entries(pressed)) this.#button(name)?.setAttribute("aria-pressed", String(on));
    this.#paint();
  }

  #button(name) {
    return root.querySelector(`[data-do="${name}"]`);
  }

  #turn(center, width) {
    const pane = this.active;
    const { low, high } = pane.window;
    pane.turn((low + high) / 2 + center, high - low + width);
    this.#state();
  }

  do(name) {
    const pane = this.active;
    const sweep = this.sweeps.indexOf(pane.sweep);
    const keys = () => this.timeline.keys();
    const acts = {
      play: () => this.play(!this.playing),
      next: () => this.go(pane.place + 1),
      previous: () => this.go(pane.place - 1),
      first: () => this.go(0),
      last: () => this.go(pane.frames.count - 1),
      next_sweep: () => this.open(pane, this.sweeps[Math.min(this.sweeps.length - 1, sweep + 1)]),
      previous_sweep: () => this.open(pane, this.sweeps[Math.max(0, sweep - 1)]),
      slower: () => { this.speed = Math.max(0, this.speed - 1); },
      faster: () => { this.speed = Math.min(SPEEDS.length - 1, this.speed + 1); },
      loop: () => { this.loop = !this.loop; },
      zoom_in: () => pane.zoomBy(1.25, pane.cursor),
      zoom_out: () => pane.zoomBy(1 / 1.25, pane.cursor),
      reset: () => { pane.fit(); pane.turn(127.5, 255); },
      narrower: () => this.#turn(0, -24),
      wider: () => this.#turn(0, 24),
      brighter: () => this.#turn(-10, 0),
      darker: () => this.#turn(10, 0),
      next_key: () => this.go(keys().find((each) => each > pane.place) ?? pane.place),
      previous_key: () => this.go(keys().findLast((each) => each < pane.place) ?? pane.place),
      two: () => this.#two(),
      other: () => this.other()?.frames && this.#focus(this.other()),
      step: () => { this.inStep = !this.inStep; },
      measure: () => { this.play(false); this.#take(null); this.measure.turn(!this.measure.on); },
      correct: () => { this.play(false); this.measure.turn(false); this.#take(this.tool ? null : this.draw); },
    };
    acts[name]?.();
    this.#state();
  }

  // Takes up a tool for drawing, or puts it down.
  #take(tool) {
    this.tool?.turn(false);
    this.tool = tool;
    tool?.turn(true);
  }

  async #two() {
    const second = this.panes[1];
    second.root.hidden = !second.root.hidden;
    if (second.root.hidden) {
      second.close();
      this.#focus(this.panes[0]);
      return;
    }
    const first = this.panes[0];
    await this.#earlier();
    const alike = this.sweeps.find((each) => each.earlier && each.organ === first.sweep.organ && each.laterality === first.sweep.laterality);
    this.open(second, alike ?? this.sweeps[Math.min(this.sweeps.length - 1, this.sweeps.indexOf(first.sweep) + 1)]);
    this.#focus(first);
  }

  async #earlier() {
    if (this.asked) return;
    this.asked = true;
    const answer = await fetch(`${data.base}/earlier`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { base, sweeps } = await answer.json();
    this.sweeps.push(...sweeps.map((each) => ({ ...each, base, earlier: true })));
    this.#choices();
  }

  hold(name, on) {
    for (const pane of this.panes) {
      pane.hold[HOLDS[name]] = on;
      if (name === "outline" && !on) pane.outlined = false;
      pane.paint();
    }
    this.#button(name)?.setAttribute("aria-pressed", String(on));
  }

  #shares(shares) {
    for (const [sweep, share] of Object.entries(shares)) {
      const cell = root.querySelector(`[data-sweep="${sweep}"] [data-share]`);
      if (cell) cell.textContent = words.looked.replace("{share}", Math.floor(100 * share));
    }
    document.dispatchEvent(new CustomEvent("reading:looked", { detail: shares }));
  }

  async #machine() {
    if (this.blind.length) return;
    const answer = await fetch(`${data.base}/machine`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    this.timeline.tracks = await answer.json();
    this.#paint();
  }

  // What must be drawn before any outline comes. left: ids of frames.
  #blind(left = data.blind) {
    this.blind = left;
    this.at("blind").hidden = !left.length;
    const line = this.at("blind-frames");
    line.replaceChildren(...left.map((frame, number) => {
      const made = document.createElement("button");
      made.type = "button";
      made.textContent = words.blind_go.replace("{number}", number + 1);
      made.addEventListener("click", () => this.find(frame));
      return made;
    }));
  }

  blindLeft(left) {
    this.#blind(left);
    if (left.length) return;
    if (!document.querySelector("form[data-signing]")) return void location.reload(); // the form comes only now
    for (const pane of this.panes) pane.frames?.forgetOutlines();
    this.#machine();
  }
}

function words_of(prefix) {
  return Object.fromEntries(Object.entries(words).filter(([name]) => name.startsWith(prefix)).map(([name, text]) => [name.slice(prefix.length), text]));
}

if (root?.querySelector("[data-pane]")) root.cine = new Cine();
