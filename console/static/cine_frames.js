// The frames of one sweep as the page's thread has them: a bounded window of decoded pictures around the head.

import { addressOf, read } from "./cine_parts.js";

const DECODED_BYTES = 128 * 2 ** 20;
const AHEAD = 24;
const BEHIND = 6;
const LEAST = 6;
const OUTLINES = 1024;

export class Frames {
  // sweep: of the page's data. told: called with (what, place) when a picture, an outline or the link changes.
  constructor(sweep, base, told) {
    this.sweep = sweep;
    this.told = told;
    this.decoded = new Map();
    this.bytes = 0;
    this.runs = new Map();
    this.asked = new Set();
    this.whole = null;
    this.smooth = null;
    this.alone = { whole: -1, smooth: -1 };
    this.online = true;
    this.status = 200;
    this.worker = new Worker("/static/cine_worker.js", { type: "module" });
    this.worker.onmessage = ({ data }) => this.#take(data);
    this.worker.postMessage({ sweep: { sequence: sweep.id, base, indices: sweep.frames.index } });
  }

  get count() {
    return this.sweep.frames.index.length;
  }

  id(place) {
    return `${this.sweep.id}/${String(this.sweep.frames.index[place]).padStart(6, "0")}`;
  }

  layout(place) {
    return this.sweep.layouts[this.sweep.frames.layout[place]];
  }

  at(place) {
    return this.decoded.get(place) ?? null;
  }

  // Says where the head is and which way it goes; asks for what will be needed next.
  lead(head, direction, loops) {
    const places = [];
    const ahead = this.#room(head);
    for (let step = 0; step <= ahead; step += 1) {
      let place = head + step * direction;
      if (loops) place = (place + this.count) % this.count;
      if (place >= 0 && place < this.count && !places.includes(place)) places.push(place);
    }
    for (let step = 1; step <= BEHIND; step += 1) {
      const place = head - step * direction;
      if (place >= 0 && place < this.count && !places.includes(place)) places.push(place);
    }
    this.near = new Set(places);
    this.head = head;
    this.worker.postMessage({ want: { head, places: places.filter((place) => !this.decoded.has(place)) } });
    this.#drop();
  }

  askWhole(place) {
    this.#alone("whole", place);
  }

  askSmooth(place) {
    this.#alone("smooth", place);
  }

  // The first frame, fetched while the worker still starts: the page's head asked for it already.
  async early(base) {
    try {
      await read(addressOf(base, "pictures", this.sweep.id, this.sweep.frames.index[0], 1), undefined, async (header, payload) => {
        if (header.refused || header.frame !== this.id(0)) return;
        this.#frame({ place: 0, header, bitmap: await createImageBitmap(new Blob([payload], { type: header.kind })) });
      });
    } catch {
      // The worker asks for it as for every other frame, and says what is wrong.
    }
  }

  // Asks once for one frame by itself; a refusal is asked for again when the reader comes back to the frame.
  #alone(kind, place) {
    if (this[kind]?.place === place || this.alone[kind] === place) return;
    this.alone[kind] = place;
    this.worker.postMessage({ [kind]: place });
  }

  // The machine's mask of a frame as runs; undefined while it is on its way.
  outline(place) {
    const found = this.runs.get(place);
    if (found === undefined && !this.asked.has(place)) {
      for (let each = place; each < Math.min(this.count, place + 64); each += 1) this.asked.add(each);
      this.worker.postMessage({ outlines: place });
    }
    return found;
  }

  forgetOutlines() {
    this.runs.clear();
    this.asked.clear();
  }

  close() {
    this.worker.terminate();
    for (const each of this.decoded.values()) each.bitmap?.close();
    this.whole?.bitmap?.close();
    this.smooth?.bitmap?.close();
    this.decoded.clear();
    this.bytes = 0;
  }

  #room(head) {
    const { rows, columns } = this.layout(Math.min(head, this.count - 1));
    return Math.max(LEAST, Math.min(AHEAD, Math.floor(DECODED_BYTES / (rows * columns * 4)) - BEHIND));
  }

  #take(data) {
    if (data.frame) this.#frame(data.frame);
    for (const kind of ["whole", "smooth"]) {
      if (!data[kind]) continue;
      this[kind]?.bitmap?.close();
      this[kind] = data[kind].bitmap ? data[kind] : null;
      if (data[kind].bitmap && this.alone[kind] === data[kind].place) this.alone[kind] = -1;
      if (data[kind].bitmap) this.told(kind, data[kind].place);
    }
    if (data.outlines) {
      for (const each of data.outlines) this.runs.set(each.place, each);
      while (this.runs.size > OUTLINES) {
        const first = this.runs.keys().next().value;
        this.runs.delete(first);
        this.asked.delete(first);
      }
      if (data.failed !== undefined) {
        for (let each = data.failed; each < data.failed + 64; each += 1) this.asked.delete(each);
        this.told(data.status === 409 ? "withheld" : "away", data.failed);
      }
      this.told("outlines", -1);
    }
    if (data.online !== undefined) {
      this.online = data.online;
      this.status = data.status ?? 200;
      this.told("link", -1);
    }
  }

  #frame(frame) {
    if (this.decoded.has(frame.place)) return void frame.bitmap?.close();
    this.decoded.set(frame.place, frame);
    this.bytes += size(frame);
    this.told("frame", frame.place);
    this.#drop();
  }

  #drop() {
    for (const [place, frame] of this.decoded) {
      if (this.near?.has(place)) continue;
      frame.bitmap?.close();
      this.bytes -= size(frame);
      this.decoded.delete(place);
    }
  }
}

function size({ bitmap }) {
  return bitmap ? bitmap.width * bitmap.height * 4 : 0;
}
