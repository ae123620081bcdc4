// One sweep on the screen. What is drawn and the id beside it are set in one step from one object, and an outline is
// drawn only where it carries the id of the picture under it.

import { areaOf, borderOf } from "./cine_mask.js";

const LENS = 90;
const LENS_ZOOM = 3;
const OUTLINE = "#ffd21f";
const DRAWN = "#4fd8ff";

export class Pane {
  constructor(root, words) {
    this.root = root;
    this.words = words;
    this.stage = root.querySelector("[data-stage]");
    this.picture = root.querySelector("canvas[data-picture]");
    this.over = root.querySelector("canvas[data-over]");
    this.idLine = root.querySelector("[data-id]");
    this.kindLine = root.querySelector("[data-kind-line]");
    this.note = root.querySelector("[data-note]");
    this.frames = null;
    this.place = 0;
    this.drawn = null;
    this.zoom = 1;
    this.shift = [0, 0];
    this.window = { low: 0, high: 255 };
    this.hold = { outline: false, smooth: false, lens: false };
    this.cursor = null;
    this.paths = new Map();
    new ResizeObserver(() => this.lay()).observe(this.stage);
  }

  open(frames, place) {
    this.frames?.close();
    this.frames = frames;
    this.drawn = null;
    this.#tell(null);
    this.paths.clear();
    this.place = Math.min(place, frames.count - 1);
    this.fit();
  }

  close() {
    this.frames?.close();
    this.frames = null;
    this.drawn = null;
    this.#tell(null);
  }

  // Draws the frame of `place` if it is here, without loss where that is here too. still: nothing moves, so that the
  // picture without loss is wanted.
  show(still) {
    if (!this.frames) return false;
    const source = this.#source(still);
    if (source) this.#draw(source);
    return this.drawn !== null && this.drawn.place === this.place;
  }

  #source(still) {
    const { frames, place } = this;
    if (this.hold.smooth) {
      frames.askSmooth(place);
      if (frames.smooth?.place === place) return { ...frames.smooth, kind: "smooth" };
    }
    if (frames.whole?.place === place) return { ...frames.whole, kind: "whole" };
    const found = frames.at(place);
    if (still && (!found || found.bitmap)) frames.askWhole(place);
    return found && { ...found, kind: "link" };
  }

  #draw({ place, header, bitmap, kind }) {
    if (this.drawn?.frame === header.frame && this.drawn.kind === kind) return;
    const layout = this.frames.layout(place);
    if (this.picture.width !== layout.columns || this.picture.height !== layout.rows) {
      this.picture.width = layout.columns;
      this.picture.height = layout.rows;
      this.lay();
    }
    const context = this.picture.getContext("2d");
    if (bitmap) context.drawImage(bitmap, 0, 0);
    else context.clearRect(0, 0, layout.columns, layout.rows);
    this.drawn = { frame: header.frame, place, kind: bitmap ? kind : "refused", quality: header.quality ?? null,
      sha256: header.sha256 ?? null, bits: header.bits ?? 8, refused: header.refused ?? null };
    this.#tell(this.drawn);
    this.paint();
    this.root.dispatchEvent(new CustomEvent("drawn", { detail: this.drawn }));
  }

  #tell(drawn) {
    this.root.dataset.frame = drawn?.frame ?? "";
    this.root.dataset.kind = drawn?.kind ?? "";
    this.idLine.textContent = drawn?.frame ?? "";
    this.note.hidden = !drawn?.refused;
    this.note.textContent = drawn?.refused ? `${this.words.refused} ${this.words.reasons[drawn.refused] ?? drawn.refused}` : "";
    const kind = drawn?.kind ?? "none";
    let told = this.words[`kind_${kind}`].replace("{quality}", drawn?.quality ?? "?");
    if (kind === "whole" && drawn.bits > 8) told = this.words.kind_whole_deep.replace("{bits}", drawn.bits);
    this.kindLine.textContent = told;
  }

  // Where the picture lies: pixels of the stage for one pixel of the picture, with pixels made square.
  scale() {
    const panel = this.frames?.layout(this.place).panels.find((each) => each.column_mm && each.row_mm);
    const least = panel ? Math.min(panel.column_mm, panel.row_mm) : 1;
    const [across, down] = panel ? [panel.column_mm / least, panel.row_mm / least] : [1, 1];
    const { width, height } = this.stage.getBoundingClientRect();
    const fit = Math.min(width / (this.picture.width * across), height / (this.picture.height * down)) || 1;
    const [x, y] = [fit * this.zoom * across, fit * this.zoom * down];
    return { x, y, left: (width - this.picture.width * x) / 2 + this.shift[0], top: (height - this.picture.height * y) / 2 + this.shift[1] };
  }

  lay() {
    const { x, y, left, top } = this.scale();
    this.picture.style.transform = `matrix(${x}, 0, 0, ${y}, ${left}, ${top})`;
    this.picture.style.imageRendering = x > 3 ? "pixelated" : "auto";
    this.picture.style.filter = this.filter();
    const { width, height } = this.stage.getBoundingClientRect();
    const ratio = devicePixelRatio;
    if (this.over.width !== Math.round(width * ratio) || this.over.height !== Math.round(height * ratio)) {
      this.over.width = Math.round(width * ratio);
      this.over.height = Math.round(height * ratio);
      this.clean = false;
    }
    this.paint();
  }

  // A linear window of the grey levels: brightness and contrast of CSS are linear as well.
  filter() {
    const [low, high] = [this.window.low / 255, this.window.high / 255];
    if (low === 0 && high === 1) return "none";
    const contrast = 1 + (2 * low) / (high - low);
    return `brightness(${1 / ((high - low) * contrast)}) contrast(${contrast})`;
  }

  turn(center, width) {
    const half = Math.max(1, Math.min(255, width)) / 2;
    const middle = Math.min(254.5, Math.max(0.5, center));
    const low = Math.max(0, middle - half);
    this.window = { low, high: Math.max(low + 1, middle + half) };
    this.lay();
  }

  fit() {
    this.zoom = 1;
    this.shift = [0, 0];
    this.lay();
  }

  zoomBy(factor, at = null) {
    const before = this.scale();
    const { width, height } = this.stage.getBoundingClientRect();
    const [x, y] = at ?? [width / 2, height / 2];
    const place = [(x - before.left) / before.x, (y - before.top) / before.y];
    this.zoom = Math.min(40, Math.max(0.5, this.zoom * factor));
    const after = this.scale();
    this.shift = [this.shift[0] + x - (after.left + place[0] * after.x), this.shift[1] + y - (after.top + place[1] * after.y)];
    this.lay();
  }

  pan(x, y) {
    this.shift = [this.shift[0] + x, this.shift[1] + y];
    this.lay();
  }

  // (column, row) of the frame under a place of the stage; the centre of the top left pixel is (0, 0).
  where(event) {
    const box = this.stage.getBoundingClientRect();
    const { x, y, left, top } = this.scale();
    return [(event.clientX - box.left - left) / x - 0.5, (event.clientY - box.top - top) / y - 0.5];
  }

  panelAt([column, row]) {
    return this.frames.layout(this.place).panels.find((each) => column >= each.left - 0.5 && column < each.left + each.width - 0.5
      && row >= each.top - 0.5 && row < each.top + each.height - 0.5) ?? null;
  }

  // Everything that lies on the picture. Each thing carries the id of the frame to which it belongs.
  paint() {
    const told = this.drawn ? (this.layers ?? []).map((layer) => layer(this.drawn)).filter(Boolean) : [];
    const busy = this.drawn !== null && (this.hold.outline || this.hold.lens || told.length > 0);
    if (!busy && this.clean) return; // a sweep that plays has nothing on it, and clearing nothing takes time
    this.clean = !busy;
    const context = this.over.getContext("2d");
    const { x, y, left, top } = this.scale();
    const ratio = devicePixelRatio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.over.width, this.over.height);
    this.root.dataset.outlined = "false";
    if (!busy) return;
    const onFrame = () => context.setTransform(x * ratio, 0, 0, y * ratio, left * ratio, top * ratio);
    this.outlined = false;
    if (this.hold.outline && this.drawn.kind !== "refused") {
      const found = this.frames.outline(this.drawn.place);
      if (found?.runs && found.frame === this.drawn.frame) {
        onFrame();
        this.#stroke(context, this.#border(found), OUTLINE, [], x);
        this.outlined = found.runs.length > 0;
      }
    }
    this.root.dataset.outlined = String(this.outlined);
    for (const { runs, dashed, lines } of told) {
      onFrame();
      if (runs) {
        context.fillStyle = "rgb(79 216 255 / 18%)";
        context.fill(areaOf(runs));
        this.#stroke(context, borderOf(runs), DRAWN, dashed ? [6, 4] : [], x);
      }
      for (const each of lines ?? []) this.#line(context, each, x, y, left, top, ratio);
    }
    if (this.hold.lens) this.#lens(context, ratio);
  }

  #border(found) {
    if (!this.paths.has(found.frame)) {
      if (this.paths.size > 200) this.paths.clear();
      this.paths.set(found.frame, borderOf(found.runs));
    }
    return this.paths.get(found.frame);
  }

  #stroke(context, path, colour, dashes, scale) {
    context.lineWidth = 1.6 / scale;
    context.setLineDash(dashes.map((each) => each / scale));
    context.strokeStyle = colour;
    context.stroke(path);
    context.setLineDash([]);
  }

  // points: of the frame. text: beside the last one. They are drawn in pixels of the screen, so that marks stay small.
  #line(context, { points, text, closed, colour }, x, y, left, top, ratio) {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const at = points.map(([column, row]) => [left + (column + 0.5) * x, top + (row + 0.5) * y]);
    context.lineWidth = 1.6;
    context.strokeStyle = colour ?? DRAWN;
    context.beginPath();
    at.forEach(([px, py], number) => (number ? context.lineTo(px, py) : context.moveTo(px, py)));
    if (closed) context.closePath();
    context.stroke();
    for (const [px, py] of at) {
      context.beginPath();
      context.moveTo(px - 6, py);
      context.lineTo(px + 6, py);
      context.moveTo(px, py - 6);
      context.lineTo(px, py + 6);
      context.stroke();
    }
    if (!text) return;
    const [px, py] = at.at(-1);
    context.font = "600 15px system-ui, sans-serif";
    const width = context.measureText(text).width;
    context.fillStyle = "rgb(0 0 0 / 75%)";
    context.fillRect(px + 9, py - 22, width + 10, 22);
    context.fillStyle = "#ffffff";
    context.fillText(text, px + 14, py - 6);
  }

  #lens(context, ratio) {
    const { x, y, left, top } = this.scale();
    const { width, height } = this.stage.getBoundingClientRect();
    const [cx, cy] = this.cursor ?? [width / 2, height / 2];
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.save();
    context.beginPath();
    context.arc(cx, cy, LENS, 0, 2 * Math.PI);
    context.fillStyle = "#000000";
    context.fill();
    context.clip();
    context.filter = this.filter();
    context.imageSmoothingEnabled = x * LENS_ZOOM < 3;
    context.drawImage(this.picture, cx - (cx - left) * LENS_ZOOM, cy - (cy - top) * LENS_ZOOM,
      this.picture.width * x * LENS_ZOOM, this.picture.height * y * LENS_ZOOM);
    context.restore();
    context.strokeStyle = "#ffffff";
    context.lineWidth = 2;
    context.beginPath();
    context.arc(cx, cy, LENS, 0, 2 * Math.PI);
    context.stroke();
  }
}
