// Which frames were shown, by sweep: kept as sets, and sent every few seconds and when the page is left.

import { post } from "./console.js";

const EVERY_MS = 4000;

export class Looked {
  // shares: called with {sweep: share} as the centre has them.
  constructor(shares) {
    this.shares = shares;
    this.seen = new Map();
    this.unsent = new Map();
    setInterval(() => this.send(), EVERY_MS);
    document.addEventListener("visibilitychange", () => document.hidden && this.send(true));
    addEventListener("pagehide", () => this.send(true));
  }

  add(base, sweep, index) {
    if (!this.seen.has(sweep)) this.seen.set(sweep, new Set());
    const known = this.seen.get(sweep);
    if (known.has(index)) return false;
    known.add(index);
    if (!this.unsent.has(base)) this.unsent.set(base, new Map());
    const waiting = this.unsent.get(base);
    if (!waiting.has(sweep)) waiting.set(sweep, new Set());
    waiting.get(sweep).add(index);
    return true;
  }

  of(sweep) {
    return this.seen.get(sweep);
  }

  // Done once the centre has what was shown up to now, or could not be reached. leaving: the page may be gone before.
  send(leaving = false) {
    if (leaving) return this.#flush(true);
    this.last = (this.last ?? Promise.resolve()).then(() => this.#flush(false));
    return this.last;
  }

  async #flush(leaving) {
    for (const [base, sweeps] of [...this.unsent]) {
      this.unsent.delete(base);
      const seen = Object.fromEntries([...sweeps].map(([sweep, indices]) => [sweep, ranges(indices)]));
      try {
        const answer = await post(`${base}/looked`, JSON.stringify({ seen }), { "Content-Type": "application/json" }, leaving);
        if (!answer.ok) throw new Error(String(answer.status));
        this.shares(await answer.json());
      } catch {
        for (const [sweep, indices] of sweeps) this.#again(base, sweep, indices);
      }
    }
  }

  #again(base, sweep, indices) {
    if (!this.unsent.has(base)) this.unsent.set(base, new Map());
    const waiting = this.unsent.get(base);
    waiting.set(sweep, new Set([...(waiting.get(sweep) ?? []), ...indices]));
  }
}

export function ranges(indices) {
  const found = [];
  for (const index of [...indices].sort((one, other) => one - other)) {
    if (found.length && index === found.at(-1)[1] + 1) found.at(-1)[1] = index;
    else found.push([index, index]);
  }
  return found;
}
