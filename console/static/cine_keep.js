// What was drawn and is not sent yet, kept in the browser so that a lost network loses nothing. It names frames and the
// code of the account, and nothing of a woman. Only the account that drew something sends it.

import { post } from "./console.js";

const NAME = "sonovan-drawings";
const FIRST_MS = 2000;
const LONGEST_MS = 30000;

export class Kept {
  // by: the account. told: called with (waiting, refusal or null, answer or null) whenever something changed.
  constructor(by, told) {
    this.by = by;
    this.told = told;
    this.wait = FIRST_MS;
    this.sending = false;
    this.database = opened();
    addEventListener("online", () => this.send());
  }

  async draft(frame) {
    return (await this.#on("drafts", "readonly", (store) => store.get(`${this.by} ${frame}`))) ?? null;
  }

  putDraft(frame, draft) {
    return this.#on("drafts", "readwrite", (store) => store.put({ ...draft, key: `${this.by} ${frame}` }));
  }

  dropDraft(frame) {
    return this.#on("drafts", "readwrite", (store) => store.delete(`${this.by} ${frame}`));
  }

  // Keeps a drawing until the centre has it. It is safe once this is done.
  async put(drawing) {
    await this.#on("waiting", "readwrite", (store) => store.put({ ...drawing, by: this.by }));
    this.send();
  }

  async waiting() {
    return (await this.#on("waiting", "readonly", (store) => store.getAll())).filter((each) => each.by === this.by);
  }

  // Sends what waits, one after another; what the centre refuses for good stays here with the reason.
  async send() {
    if (this.sending) return;
    this.sending = true;
    clearTimeout(this.timer);
    let away = false;
    try {
      for (const each of (await this.waiting()).filter((one) => !one.refused)) {
        const { at, base, refused, ...body } = each;
        const answer = await post(`${base}/review/${at}`, JSON.stringify(body), { "Content-Type": "application/json" }).catch(() => null);
        if (answer?.ok) {
          await this.#on("waiting", "readwrite", (store) => store.delete(each.drawing));
          this.wait = FIRST_MS;
          this.told((await this.waiting()).length, null, await answer.json());
        } else if (answer && [400, 404, 409, 413].includes(answer.status)) {
          const { text } = await answer.json().catch(() => ({ text: String(answer.status) }));
          await this.#on("waiting", "readwrite", (store) => store.put({ ...each, refused: text }));
          this.told((await this.waiting()).length, text, null);
        } else {
          away = true;
          break;
        }
      }
    } finally {
      this.sending = false;
    }
    if (away) {
      this.told((await this.waiting()).length, null, null);
      this.timer = setTimeout(() => this.send(), this.wait);
      this.wait = Math.min(LONGEST_MS, this.wait * 2);
    }
  }

  async #on(name, mode, ask) {
    const database = await this.database;
    return new Promise((done, failed) => {
      const change = database.transaction(name, mode, { durability: "strict" });
      const request = ask(change.objectStore(name));
      change.oncomplete = () => done(request.result);
      change.onabort = change.onerror = () => failed(change.error);
    });
  }
}

function opened() {
  return new Promise((done, failed) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("drafts", { keyPath: "key" });
      request.result.createObjectStore("waiting", { keyPath: "drawing" });
    };
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}
