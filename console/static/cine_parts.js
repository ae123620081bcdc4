// Answers of many parts, each a header and a payload, read while they come (console/chunks.py).

export function addressOf(base, kind, sequence, first, count) {
  return `${base}/${kind}/${sequence}?first=${first}&count=${count}`;
}

// told: (header, payload as Uint8Array) for each part. Throws an error with the answer's `status` where it is refused.
export async function read(address, signal, told) {
  const answer = await fetch(address, { signal });
  if (!answer.ok) throw Object.assign(new Error("refused"), { status: answer.status });
  const reader = answer.body.getReader();
  let rest = new Uint8Array(0);
  const text = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    rest = joined(rest, value);
    for (;;) {
      if (rest.byteLength < 8) break;
      const view = new DataView(rest.buffer, rest.byteOffset, rest.byteLength);
      const header = view.getUint32(0, true);
      const payload = view.getUint32(4, true);
      if (rest.byteLength < 8 + header + payload) break;
      told(JSON.parse(text.decode(rest.subarray(8, 8 + header))), rest.slice(8 + header, 8 + header + payload));
      rest = rest.slice(8 + header + payload);
    }
  }
  if (rest.byteLength) throw new Error("the answer was cut");
}

function joined(one, other) {
  if (!one.byteLength) return other;
  const both = new Uint8Array(one.byteLength + other.byteLength);
  both.set(one);
  both.set(other, one.byteLength);
  return both;
}
