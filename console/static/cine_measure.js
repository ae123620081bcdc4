// Distances on a frame that stands still without loss: in mm where both ends lie in one panel whose scale is known,
// else in px. What was measured belongs to its frame and is gone with it.

const COLOUR = "#9cff8f";

export class Measure {
  constructor(pane, words, told) {
    this.pane = pane;
    this.words = words;
    this.told = told;
    this.on = false;
    this.cross = null;
    this.forget();
  }

  forget() {
    this.frame = this.pane.drawn?.frame ?? null;
    this.lines = [];
    this.open = null;
  }

  turn(on) {
    this.on = on;
    this.cross = null;
    this.forget();
    this.pane.paint();
    if (on) this.told(this.ready ? this.words.measure_on : this.words.measure_wait);
  }

  get ready() {
    return this.pane.drawn?.kind === "whole";
  }

  // A place of the frame, (column, row).
  put(at) {
    if (!this.ready) return void this.told(this.words.measure_wait);
    if (this.frame !== this.pane.drawn.frame) this.forget();
    if (this.open) {
      this.lines.push([this.open, at]);
      this.open = null;
      this.told(this.text(this.lines.at(-1)));
    } else {
      this.open = at;
    }
    this.pane.paint();
  }

  back() {
    if (this.open) this.open = null;
    else this.open = this.lines.pop()?.[0] ?? null;
    this.pane.paint();
  }

  move(columns, rows) {
    const { columns: width, rows: height } = this.pane.frames.layout(this.pane.place);
    const [column, row] = this.cross ?? [Math.floor(width / 2), Math.floor(height / 2)];
    this.cross = [Math.min(width - 1, Math.max(0, column + columns)), Math.min(height - 1, Math.max(0, row + rows))];
    this.pane.paint();
  }

  // How long a line is; null where the scale is not known.
  mm([from, to]) {
    const [one, other] = [this.pane.panelAt(from), this.pane.panelAt(to)];
    if (!one || one !== other || !one.column_mm || !one.row_mm) return null;
    return Math.hypot((to[0] - from[0]) * one.column_mm, (to[1] - from[1]) * one.row_mm);
  }

  // The longest distance that stands on a frame; null where none was measured in mm.
  longestMm(frame) {
    const found = frame === this.frame ? this.lines.map((each) => this.mm(each)).filter((each) => each !== null) : [];
    return found.length ? Math.max(...found) : null;
  }

  text([from, to]) {
    const long = this.mm([from, to]);
    if (long !== null) return this.words.mm.replace("{distance}", long.toFixed(1));
    const far = Math.hypot(to[0] - from[0], to[1] - from[1]);
    return `${this.words.px.replace("{distance}", far.toFixed(0))} (${this.words.no_scale})`;
  }

  // What lies on the picture of this frame.
  layer(drawn) {
    if (!this.on || drawn.frame !== this.frame) return null;
    const lines = this.lines.map((each) => ({ points: each, text: this.text(each), colour: COLOUR }));
    if (this.open) lines.push({ points: this.cross ? [this.open, this.cross] : [this.open], colour: COLOUR });
    else if (this.cross) lines.push({ points: [this.cross], colour: COLOUR });
    return { lines };
  }
}
