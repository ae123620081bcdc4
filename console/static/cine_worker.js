// Fetches a sweep's frames part by part and decodes them, away from the page's own thread. What is kept is bounded:
// coded frames by BYTES, those farthest from the head go first; decoded ones are handed over and not kept here.
// A place is a frame's position in its sweep's list; an index is its number of acquisition, which may have gaps.

import { addressOf, read } from "./cine_parts.js";

const BYTES = 64 * 2 ** 20;
const AHEAD = 900;
const BEHIND = 120;
const CHUNK = 48;
const DECODING = 3;
const OUTLINES = 64;

let sweep = null;
let head = 0;
let wanted = [];
let fetching = null;
let decoding = new Set();
let waits = 0;
let bytes = 0;
let coded = new Map();
const single = { whole: null, smooth: null };

onmessage = ({ data }) => {
  if (data.sweep) {
    sweep = { ...data.sweep, places: new Map(data.sweep.indices.map((index, place) => [index, place])) };
    pump();
  }
  if (data.want) {
    ({ head, places: wanted } = data.want);
    if (fetching && !coded.has(head) && (head < fetching.at || head > fetching.to)) fetching.stop.abort();
    pump();
    decode();
  }
  if (data.whole !== undefined) alone("whole", data.whole, "");
  if (data.smooth !== undefined) alone("smooth", data.smooth, "?despeckled=1");
  if (data.outlines !== undefined) outlines(data.outlines);
};

function missing() {
  const last = sweep.indices.length - 1;
  for (let place = head; place <= Math.min(last, head + AHEAD); place += 1) if (!coded.has(place)) return place;
  for (let place = head - 1; place >= Math.max(0, head - BEHIND); place -= 1) if (!coded.has(place)) return place;
  return -1;
}

async function pump() {
  if (fetching || !sweep) return;
  const from = missing();
  if (from < 0 || (bytes >= BYTES && Math.abs(from - head) >= farthest())) return;
  let to = from;
  while (to + 1 < sweep.indices.length && to - from + 1 < CHUNK && !coded.has(to + 1)) to += 1;
  while (sweep.indices[to] - sweep.indices[from] >= 256) to -= 1;
  fetching = { at: from, to, stop: new AbortController() };
  try {
    await parts("pictures", from, to, fetching.stop.signal, (header, payload) => {
      const place = sweep.places.get(header.index);
      if (place === undefined || header.frame !== `${sweep.sequence}/${String(header.index).padStart(6, "0")}`) return;
      fetching.at = place + 1;
      keep(place, { header, payload });
      decode();
    });
    waits = 0;
    // What the centre did not send of a range is not asked for again and again.
    for (let place = from; place <= to; place += 1) {
      if (!coded.has(place)) keep(place, { header: { index: sweep.indices[place], refused: "object_gone" }, payload: null });
    }
    postMessage({ online: true });
  } catch (error) {
    if (error.name !== "AbortError") {
      postMessage({ online: false, status: error.status ?? 0 });
      waits = Math.min(waits + 1, 5);
      setTimeout(pump, 250 * 2 ** waits);
      fetching = null;
      return;
    }
  }
  fetching = null;
  decode();
  pump();
}

function keep(place, one) {
  coded.set(place, one);
  bytes += one.payload?.byteLength ?? 0;
  while (bytes > BYTES) {
    const [far] = [...coded.keys()].reduce((best, each) => (Math.abs(each - head) > best[1] ? [each, Math.abs(each - head)] : best), [-1, -1]);
    if (far < 0 || far === place) return;
    bytes -= coded.get(far).payload?.byteLength ?? 0;
    coded.delete(far);
  }
}

function farthest() {
  let most = 0;
  for (const place of coded.keys()) most = Math.max(most, Math.abs(place - head));
  return most;
}

async function decode() {
  while (decoding.size < DECODING) {
    const place = wanted.find((each) => coded.has(each) && !decoding.has(each));
    if (place === undefined) return;
    wanted = wanted.filter((each) => each !== place);
    const { header, payload } = coded.get(place);
    if (payload === null || header.refused) {
      postMessage({ frame: { place, header, bitmap: null } });
      continue;
    }
    decoding.add(place);
    createImageBitmap(new Blob([payload], { type: header.kind })).then(
      (bitmap) => postMessage({ frame: { place, header, bitmap } }, [bitmap]),
      () => postMessage({ frame: { place, header: { ...header, refused: "pixels_corrupt" }, bitmap: null } }),
    ).finally(() => {
      decoding.delete(place);
      decode();
    });
  }
}

// One frame by itself: without loss, or with less speckle. A newer request of the kind ends the older one.
async function alone(kind, place, query) {
  single[kind]?.abort();
  const stop = new AbortController();
  single[kind] = stop;
  try {
    const index = sweep.indices[place];
    const answer = await fetch(`${sweep.base}/picture/${sweep.sequence}/${index}${query}`, { signal: stop.signal, credentials: "same-origin" });
    if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
    const header = { frame: answer.headers.get("X-Frame-Id"), sha256: answer.headers.get("X-Image-Sha256"), bits: Number(answer.headers.get("X-Frame-Bits")) };
    const bitmap = await createImageBitmap(await answer.blob());
    if (header.frame !== `${sweep.sequence}/${String(index).padStart(6, "0")}`) throw new Error("another frame came");
    postMessage({ [kind]: { place, header, bitmap } }, [bitmap]);
  } catch (error) {
    if (error.name !== "AbortError") postMessage({ [kind]: { place, header: null, bitmap: null, status: error.status ?? 0 } });
  }
}

// Parts of a range of places. told: (header, payload as Uint8Array) for each part.
function parts(kind, from, to, signal, told) {
  const first = sweep.indices[from];
  return read(addressOf(sweep.base, kind, sweep.sequence, first, sweep.indices[to] - first + 1), signal, told);
}

async function outlines(place) {
  const to = Math.min(sweep.indices.length - 1, place + OUTLINES - 1);
  let last = to;
  while (sweep.indices[last] - sweep.indices[place] >= 256) last -= 1;
  const found = [];
  try {
    await parts("outlines", place, last, undefined, (header, payload) => {
      const at = sweep.places.get(header.index);
      const runs = header.refused ? null : new Uint16Array(payload.slice().buffer);
      if (at !== undefined) found.push({ place: at, frame: header.frame, runs, refused: header.refused ?? null });
    });
    postMessage({ outlines: found });
  } catch (error) {
    postMessage({ outlines: [], failed: place, status: error.status ?? 0 });
  }
}
