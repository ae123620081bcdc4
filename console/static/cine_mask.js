// A mask while somebody draws it, and masks as runs: label, row, first column, length, as the centre sends them.

const STEPS = 200;

export class Mask {
  constructor(rows, columns, runs = new Uint16Array(0)) {
    this.rows = rows;
    this.columns = columns;
    this.data = new Uint8Array(rows * columns);
    this.back = [];
    this.forth = [];
    this.fill(runs);
  }

  get empty() {
    return !this.data.includes(1);
  }

  // Replaces what is drawn, without a step of the history.
  fill(runs) {
    this.data.fill(0);
    for (let at = 0; at + 3 < runs.length; at += 4) {
      const begin = runs[at + 1] * this.columns + runs[at + 2];
      this.data.fill(1, begin, begin + runs[at + 3]);
    }
  }

  runs() {
    const found = [];
    for (let row = 0; row < this.rows; row += 1) {
      const from = row * this.columns;
      for (let column = 0; column < this.columns; column += 1) {
        if (!this.data[from + column]) continue;
        let end = column;
        while (end < this.columns && this.data[from + end]) end += 1;
        found.push(1, row, column, end - column);
        column = end;
      }
    }
    return new Uint16Array(found);
  }

  // Begins a step: what stands now can be had back.
  mark(extra = null) {
    this.back.push({ runs: this.runs(), extra });
    if (this.back.length > STEPS) this.back.shift();
    this.forth = [];
  }

  undo(extra = null) {
    return this.#turn(this.back, this.forth, extra);
  }

  redo(extra = null) {
    return this.#turn(this.forth, this.back, extra);
  }

  #turn(from, to, extra) {
    const step = from.pop();
    if (!step) return null;
    to.push({ runs: this.runs(), extra });
    this.fill(step.runs);
    return step;
  }

  // Everything within `radius` pixels of the line between two places (columns and rows, centres at whole numbers).
  stroke(from, to, radius, value) {
    const [left, right] = [Math.min(from[0], to[0]) - radius, Math.max(from[0], to[0]) + radius];
    const [top, bottom] = [Math.min(from[1], to[1]) - radius, Math.max(from[1], to[1]) + radius];
    const dx = to[0] - from[0];
    const dy = to[1] - from[1];
    const length = dx * dx + dy * dy;
    for (let row = Math.max(0, Math.ceil(top)); row <= Math.min(this.rows - 1, bottom); row += 1) {
      for (let column = Math.max(0, Math.ceil(left)); column <= Math.min(this.columns - 1, right); column += 1) {
        const share = length ? Math.min(1, Math.max(0, ((column - from[0]) * dx + (row - from[1]) * dy) / length)) : 0;
        const far = (column - from[0] - share * dx) ** 2 + (row - from[1] - share * dy) ** 2;
        if (far <= radius * radius) this.data[row * this.columns + column] = value;
      }
    }
  }

  // The pixels whose centre lies inside a polygon, by the rule of odd crossings.
  polygon(corners, value) {
    for (let row = 0; row < this.rows; row += 1) {
      const crossings = [];
      corners.forEach(([x1, y1], at) => {
        const [x2, y2] = corners[(at + 1) % corners.length];
        if (y1 <= row !== y2 <= row) crossings.push(x1 + ((row - y1) / (y2 - y1)) * (x2 - x1));
      });
      crossings.sort((one, other) => one - other);
      for (let at = 0; at + 1 < crossings.length; at += 2) {
        const first = Math.max(0, Math.ceil(crossings[at]));
        const last = Math.min(this.columns - 1, Math.floor(crossings[at + 1]));
        if (first <= last) this.data.fill(value, row * this.columns + first, row * this.columns + last + 1);
      }
    }
  }
}

// The border of a mask along the edges of its pixels, so that it is exact at any zoom. (0, 0) is the picture's corner.
export function borderOf(runs) {
  const path = new Path2D();
  const rows = new Map();
  for (let at = 0; at + 3 < runs.length; at += 4) {
    const [row, from, to] = [runs[at + 1], runs[at + 2], runs[at + 2] + runs[at + 3]];
    if (!rows.has(row)) rows.set(row, []);
    rows.get(row).push(from, to);
    for (const x of [from, to]) {
      path.moveTo(x, row);
      path.lineTo(x, row + 1);
    }
  }
  for (const row of new Set([...rows.keys(), ...[...rows.keys()].map((each) => each + 1)])) {
    const ends = [...(rows.get(row) ?? []), ...(rows.get(row - 1) ?? [])].sort((one, other) => one - other);
    for (let at = 0; at + 1 < ends.length; at += 2) {
      if (ends[at] === ends[at + 1]) continue;
      path.moveTo(ends[at], row);
      path.lineTo(ends[at + 1], row);
    }
  }
  return path;
}

// The area of a mask as a path, to be filled.
export function areaOf(runs) {
  const path = new Path2D();
  for (let at = 0; at + 3 < runs.length; at += 4) path.rect(runs[at + 2], runs[at + 1], runs[at + 3], 1);
  return path;
}
