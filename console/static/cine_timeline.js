// A sweep from its first frame to its last on one strip: how well each was seen, what was looked at, what is missing,
// where the machine suggests lesions and where the operator marked something.

const COLOURS = { good: "#2f7d4a", poor: "#b06a1a", looked: "#4fd8ff", track: "#ffd21f", mark: "#ff8df0", gone: "#ff5a4f", head: "#ffffff" };

export class Timeline {
  // sought: called with a place when somebody chooses one by pointer or key.
  constructor(root, words, sought) {
    this.root = root;
    this.canvas = root.querySelector("canvas");
    this.words = words;
    this.sought = sought;
    this.tracks = [];
    this.marks = new Set();
    new ResizeObserver(() => this.paint()).observe(root);
    root.addEventListener("pointerdown", (event) => {
      root.setPointerCapture(event.pointerId);
      this.#seek(event);
    });
    root.addEventListener("pointermove", (event) => event.buttons && this.#seek(event));
  }

  show(pane, looked) {
    this.pane = pane;
    this.looked = looked;
    this.paint();
  }

  #seek(event) {
    const box = this.root.getBoundingClientRect();
    const count = this.pane?.frames?.count ?? 0;
    if (count) this.sought(Math.min(count - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * count))));
  }

  // The place in the sweep's list at which an index stands or would stand.
  placeOf(index) {
    const indices = this.pane.frames.sweep.frames.index;
    let [low, high] = [0, indices.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (indices[middle] < index) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, indices.length - 1);
  }

  keys() {
    return this.#tracks().map((each) => this.placeOf(each.key)).sort((one, other) => one - other);
  }

  #tracks() {
    return this.tracks.filter((each) => each.sweep === this.pane?.frames?.sweep.id);
  }

  paint() {
    const box = this.root.getBoundingClientRect();
    const ratio = devicePixelRatio;
    const [width, height] = [Math.max(1, Math.round(box.width)), Math.max(1, Math.round(box.height))];
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const context = this.canvas.getContext("2d");
    context.scale(ratio, ratio);
    context.fillStyle = "#000000";
    context.fillRect(0, 0, width, height);
    const frames = this.pane?.frames;
    if (!frames) return;
    const { sweep, count } = frames;
    const step = width / count;
    for (let x = 0; x < width; x += 1) {
      const from = Math.min(count - 1, Math.floor(x / step));
      const to = Math.max(from + 1, Math.floor((x + 1) / step));
      let [quality, refused] = [0, false];
      for (let place = from; place < to; place += 1) {
        quality = Math.max(quality, sweep.frames.quality[place] ?? 0);
        refused ||= Boolean(sweep.frames.reason[place]);
      }
      context.fillStyle = refused ? COLOURS.poor : COLOURS.good;
      const high = 3 + (quality / 100) * 15;
      context.fillRect(x, 24 - high, 1, high);
    }
    context.fillStyle = COLOURS.looked;
    const seen = this.looked(sweep.id);
    sweep.frames.index.forEach((index, place) => seen?.has(index) && context.fillRect(place * step, 26, Math.max(1, step), 3));
    for (const index of Object.keys(sweep.rejected)) this.#tick(context, this.placeOf(Number(index)) * step, COLOURS.gone, height);
    this.#lesions(context, step);
    for (const name of this.marks) {
      const [id, index] = name.split("/");
      if (id === sweep.id) this.#triangle(context, (this.placeOf(Number(index)) + 0.5) * step, height);
    }
    context.fillStyle = COLOURS.head;
    context.fillRect(Math.min(width - 2, (this.pane.place + 0.5) * step - 1), 0, 2, height);
    this.#say();
  }

  #lesions(context, step) {
    this.#tracks().forEach((each, row) => {
      const top = 32 + (row % 3) * 11;
      const [from, to, key] = [this.placeOf(each.first), this.placeOf(each.last), this.placeOf(each.key)];
      context.fillStyle = each.unreliable || each.unconfirmed ? "#8a7a35" : COLOURS.track;
      context.fillRect(from * step, top, Math.max(3, (to - from + 1) * step), 7);
      context.beginPath();
      const middle = (key + 0.5) * step;
      context.moveTo(middle, top - 3);
      context.lineTo(middle + 5, top + 3.5);
      context.lineTo(middle, top + 10);
      context.lineTo(middle - 5, top + 3.5);
      context.fillStyle = "#ffffff";
      context.fill();
      context.fillStyle = "#000000";
      context.font = "600 8px system-ui, sans-serif";
      context.fillText(String(each.ordinal), middle - 2.5, top + 6.5);
    });
  }

  #tick(context, x, colour, height) {
    context.fillStyle = colour;
    context.fillRect(x, 0, 2, height);
  }

  #triangle(context, x, height) {
    context.fillStyle = COLOURS.mark;
    context.beginPath();
    context.moveTo(x, height - 9);
    context.lineTo(x + 5, height);
    context.lineTo(x - 5, height);
    context.fill();
  }

  #say() {
    const { frames, place } = this.pane;
    const { sweep } = frames;
    this.root.setAttribute("aria-valuemax", String(frames.count));
    this.root.setAttribute("aria-valuenow", String(place + 1));
    const parts = [this.words.frame.replace("{number}", place + 1).replace("{count}", frames.count)];
    const reason = sweep.frames.reason[place];
    if (reason) parts.push(this.words.not_assessed.replace("{reason}", sweep.reasons[reason] ?? reason));
    else parts.push(this.words.quality.replace("{quality}", sweep.frames.quality[place]));
    const index = sweep.frames.index[place];
    for (const each of this.#tracks()) {
      if (each.first <= index && index <= each.last) parts.push(this.words.lesion.replace("{number}", each.ordinal).replace("{place}", each.place));
    }
    if (this.marks.has(frames.id(place))) parts.push(this.words.mark);
    this.root.setAttribute("aria-valuetext", parts.join(", "));
    this.text = parts.join(" · ");
  }
}
