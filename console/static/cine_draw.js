// Drawing on the frame that stands still without loss: clicks, brush, polygon, undo, carrying over to neighbours.
// Each mask belongs to one frame by its id; what is not saved is kept in the browser and found again.

import { post } from "./console.js";
import { Kept } from "./cine_keep.js";
import { Mask } from "./cine_mask.js";

const JSON_KIND = { "Content-Type": "application/json" };
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Draw {
  constructor(cine, root, words) {
    this.cine = cine;
    this.words = words;
    this.bar = root.querySelector("[data-drawing]");
    this.unsent = root.querySelector("[data-unsent]");
    this.mode = "click";
    this.radius = 8;
    this.own = new Map();
    this.offers = new Map();
    this.kept = new Kept(root.dataset.person, (...told) => this.#heard(...told));
    for (const each of this.buttons) each.addEventListener("click", () => this.do(each.dataset.draw));
    this.kept.waiting().then((waiting) => waiting.length && this.#heard(waiting.length, waiting.find((each) => each.refused)?.refused ?? null, null));
    this.kept.send();
  }

  get buttons() {
    return this.bar.querySelectorAll("[data-draw]");
  }

  get pane() {
    return this.cine.active;
  }

  get ready() {
    return this.pane.drawn?.kind === "whole" && this.frame === this.pane.drawn.frame && this.mask !== null;
  }

  async turn(on) {
    this.bar.hidden = !on;
    for (const each of this.buttons) each.disabled = !on || (this.cine.blind.length > 0 && each.dataset.seeing === "true");
    this.frame = null;
    this.mask = null;
    this.cross = null;
    this.corners = [];
    if (!on) return void this.#paint();
    if (this.cine.blind.length && this.mode.startsWith("click")) this.mode = "brush";
    this.#press();
    if (!this.asked) this.asked = this.#ownMasks();
    await this.asked;
    if (this.pane.drawn) await this.#begin(this.pane.drawn);
  }

  // A frame came on the screen.
  drawn(pane, drawn) {
    if (pane === this.pane) this.#begin(drawn);
  }

  async #begin(drawn) {
    if (drawn.kind !== "whole" || this.frame === drawn.frame) return;
    this.frame = drawn.frame;
    this.mask = null;
    this.#forget();
    const { rows, columns } = this.pane.frames.layout(drawn.place);
    const draft = await this.kept.draft(drawn.frame);
    if (this.frame !== drawn.frame) return;
    this.mask = new Mask(rows, columns, draft?.runs ?? this.own.get(drawn.frame) ?? []);
    this.from = draft?.from ?? "nothing";
    this.unsaved = draft !== null;
    this.radius = Math.max(3, Math.round(columns / 100));
    this.#say(this.unsaved ? this.words.draw_found : this.words.draw_on);
    if (!this.cine.blind.length) this.#warm();
    this.#paint();
  }

  #forget() {
    this.points = [];
    this.base = null;
    this.corners = [];
  }

  // Has the network see the frame before the first click.
  #warm() {
    post(this.#address("ready"), JSON.stringify({ at: this.cross }), JSON_KIND).catch(() => null);
  }

  #address(kind, index = this.#index()) {
    return `${this.pane.sweep.base}/${kind}/${this.pane.sweep.id}/${index}`;
  }

  #index() {
    return this.pane.sweep.frames.index[this.pane.drawn.place];
  }

  // What lies on the picture of this frame.
  layer(pane, drawn) {
    if (pane !== this.pane || this.bar.hidden) return null;
    const offer = this.offers.get(drawn.frame);
    if (offer) return { runs: offer.runs, dashed: true };
    if (drawn.frame !== this.frame || !this.mask) return null;
    const lines = [];
    if (this.corners.length) lines.push({ points: this.cross ? [...this.corners, this.cross] : this.corners });
    for (const [column, row, lesion] of this.points) lines.push({ points: [[column, row]], colour: lesion ? "#86d99e" : "#ff9c94" });
    if (this.cross && !this.corners.length) lines.push({ points: [this.cross], colour: "#ffffff" });
    this.shown ??= this.mask.runs();
    return { runs: this.shown, lines };
  }

  down(pane, at, event) {
    if (event.button !== 0 || this.offers.has(pane.drawn?.frame)) return false;
    if (!this.ready) {
      this.#say(this.words.measure_wait);
      return true;
    }
    this.#use(at, true);
    return true;
  }

  move(pane, at) {
    if (!this.stroke || !this.ready) return;
    this.mask.stroke(this.stroke, at, this.radius, this.mode === "brush" ? 1 : 0);
    this.stroke = at;
    this.#paint();
  }

  up() {
    if (!this.stroke) return;
    this.stroke = null;
    this.#changed();
  }

  // Uses the tool at a place of the frame. held: a pointer goes on from here.
  #use(at, held) {
    if (this.mode === "polygon") {
      this.corners.push(at);
      return void this.#paint();
    }
    if (this.mode.startsWith("click")) return void this.#click(at);
    this.mask.mark(this.#state());
    this.mask.stroke(at, at, this.radius, this.mode === "brush" ? 1 : 0);
    this.#forget();
    if (held) this.stroke = at;
    else this.#changed();
    this.#paint();
  }

  #state() {
    return { points: [...this.points], base: this.base, from: this.from };
  }

  async #click(at) {
    const [column, row] = at;
    const frame = this.frame;
    const before = this.#state();
    if (!this.points.length) this.base = this.mask.empty ? null : [...this.mask.runs()];
    this.points.push([column, row, this.mode === "click" ? 1 : 0]);
    this.#paint();
    const asked = performance.now();
    const answer = await post(this.#address("click"), JSON.stringify({ points: this.points, before: this.base }), JSON_KIND).catch(() => null);
    const found = answer?.ok ? await answer.json() : null;
    if (this.frame !== frame) return;
    if (!found || found.frame !== frame) {
      Object.assign(this, before);
      const told = answer ? await answer.json().catch(() => null) : null;
      this.#say(told?.text ?? this.words.draw_away);
      return void this.#paint();
    }
    this.mask.mark(before);
    this.mask.fill(found.runs);
    this.#changed();
    this.bar.dataset.clickMs = (performance.now() - asked).toFixed(1);
    this.bar.dataset.clicks = String(Number(this.bar.dataset.clicks ?? 0) + 1);
  }

  // The mask has changed: it is kept at once.
  #changed() {
    this.unsaved = true;
    this.#paint();
    return this.kept.putDraft(this.frame, { runs: this.mask.runs(), from: this.from, at: Date.now() })
      .then(() => { this.bar.dataset.kept = this.frame; }, () => this.#say(this.words.draw_not_kept));
  }

  #paint() {
    this.shown = null;
    this.pane.paint();
  }

  #say(text) {
    this.cine.tell(text);
  }

  #press() {
    for (const each of this.buttons) {
      if (each.dataset.mode) each.setAttribute("aria-pressed", String(each.dataset.draw === this.mode));
    }
  }

  do(name) {
    if (["click", "click_not", "brush", "erase", "polygon"].includes(name)) {
      this.mode = name;
      this.#forget();
      this.#press();
      return void this.#paint();
    }
    const acts = {
      undo: () => this.#turned(this.mask?.undo(this.#state())),
      redo: () => this.#turned(this.mask?.redo(this.#state())),
      smaller: () => { this.radius = Math.max(1, this.radius - 2); this.#say(this.words.draw_radius.replace("{radius}", this.radius)); },
      larger: () => { this.radius = Math.min(200, this.radius + 2); this.#say(this.words.draw_radius.replace("{radius}", this.radius)); },
      close: () => this.#close(),
      clear: () => this.#replace([], "nothing"),
      machine: () => this.#machine(),
      carry: () => this.#carry(),
      approve: () => this.#decide(true),
      refuse: () => this.#decide(false),
      save: () => this.#save(),
    };
    acts[name]?.();
  }

  #turned(step) {
    if (!step) return;
    this.points = step.extra?.points ?? [];
    this.base = step.extra?.base ?? null;
    this.from = step.extra?.from ?? this.from;
    this.#changed();
  }

  #replace(runs, from) {
    if (!this.ready) return;
    this.mask.mark(this.#state());
    this.mask.fill(runs);
    this.from = from;
    this.#forget();
    this.#changed();
  }

  #close() {
    if (!this.ready || this.corners.length < 3) return;
    this.mask.mark(this.#state());
    this.mask.polygon(this.corners, 1);
    this.#forget();
    this.#changed();
  }

  #machine() {
    if (!this.ready || this.cine.blind.length) return;
    const found = this.pane.frames.outline(this.pane.drawn.place);
    if (found?.runs && found.frame === this.frame) this.#replace(found.runs, "machine");
    else setTimeout(() => this.#machine(), 60);
  }

  async #carry() {
    if (!this.ready) return;
    const frame = this.frame;
    this.#say(this.words.draw_carrying);
    const answer = await post(this.#address("carry"), JSON.stringify({ runs: [...this.mask.runs()] }), JSON_KIND).catch(() => null);
    const told = answer ? await answer.json().catch(() => null) : null;
    if (!answer?.ok) return void this.#say(told?.text ?? this.words.draw_away);
    if (told.frame !== frame) return;
    this.offers = new Map(told.frames.map((each) => [each.frame, each]));
    this.#next();
  }

  // Goes to the next mask that was carried over and waits for the reader's word.
  #next() {
    const offer = this.offers.values().next().value;
    if (!offer) return void this.#say(this.words.draw_no_offers);
    this.cine.find(offer.frame);
    this.#say(this.words.draw_offer.replace("{count}", this.offers.size));
    this.#paint();
  }

  async #decide(approved) {
    const offer = this.offers.get(this.pane.drawn?.frame);
    if (!offer) return;
    this.offers.delete(offer.frame);
    if (approved) {
      await this.#put(offer.frame, offer.index, offer.sha256, offer.runs, "nothing");
      this.own.set(offer.frame, offer.runs);
    }
    this.#next();
  }

  async #save() {
    if (!this.ready) return void this.#say(this.words.measure_wait);
    if (this.mode === "polygon" && this.corners.length >= 3) this.#close();
    const frame = this.frame;
    const runs = [...this.mask.runs()];
    try {
      await this.#put(frame, this.#index(), this.pane.drawn.sha256, runs, this.from);
      await this.kept.dropDraft(frame);
    } catch {
      return void this.#say(this.words.draw_not_kept);
    }
    this.own.set(frame, runs);
    this.unsaved = false;
  }

  #put(frame, index, sha256, runs, from) {
    const { base, id } = this.pane.sweep;
    return this.kept.put({ drawing: crypto.randomUUID(), frame, base, at: `${id}/${index}`, sha256, runs: [...runs], from });
  }

  async #ownMasks() {
    const answer = await fetch(`${this.pane.sweep.base}/drawn`, { headers: { Accept: "application/json" } }).catch(() => null);
    if (!answer?.ok) return;
    for (const each of await answer.json()) this.own.set(each.frame, each.runs);
  }

  // What became of a drawing that was sent, or waits.
  #heard(waiting, refusal, answer) {
    this.unsent.hidden = waiting === 0;
    this.unsent.textContent = refusal ? `${this.words.draw_refused} ${refusal}` : this.words.draw_waiting.replace("{count}", waiting);
    if (!answer) return;
    this.bar.dataset.saved = String(Number(this.bar.dataset.saved ?? 0) + 1);
    this.#say(this.words.draw_saved);
    if (this.cine.blind.length && answer.left) {
      this.cine.blindLeft(answer.left);
      if (!answer.left.length) this.turn(!this.bar.hidden);
    }
  }

  key(event) {
    const way = WAYS[event.key];
    if (way) {
      const { columns, rows } = this.pane.frames.layout(this.pane.place);
      const far = event.shiftKey ? 10 : 1;
      const [column, row] = this.cross ?? [Math.floor(columns / 2), Math.floor(rows / 2)];
      this.cross = [Math.min(columns - 1, Math.max(0, column + far * way[0])), Math.min(rows - 1, Math.max(0, row + far * way[1]))];
      this.#paint();
    } else if (event.key === "Enter") {
      if (this.ready && this.cross) this.#use([...this.cross], false);
    } else if (event.key === "Backspace") {
      this.corners.pop();
      this.#paint();
    } else if (event.key === "Delete") {
      this.do("clear");
    } else if (event.key === "Escape") {
      if (this.corners.length || this.cross) {
        this.corners = [];
        this.cross = null;
        this.#paint();
      } else this.cine.do("correct");
    } else if (event.key === "PageDown" || event.key === "PageUp") {
      this.cine.go(this.pane.place + (event.key === "PageDown" ? 1 : -1));
    } else return false;
    return true;
  }
}
