// What every page has: keys, and the token that scripts send back.

// Sends something that changes something; the answer as fetch gives it. body: a form's fields, or any body with headers.
// keepalive: it is sent although the page is left meanwhile.
export function post(address, body, headers = {}, keepalive = false) {
  const token = document.querySelector("meta[name=token]")?.content ?? "";
  return fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { Accept: "application/json", "X-Console-Token": token, ...headers },
    body,
    keepalive,
  });
}

// Whether somebody types, so that keys are letters.
export function isTyping(target) {
  return target instanceof Element && (target.matches("input:not([type=checkbox], [type=radio]), select, textarea") || target.isContentEditable);
}

// Single keys press what carries them in data-key; g and then a letter goes to what carries it in data-go. The text that
// the list of keys shows is the element's own, or its data-means.
let going = -Infinity;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat || isTyping(event.target)) return;
  if (event.key === "?") return void (event.preventDefault(), toggleKeys());
  if (document.querySelector("dialog[open]")) return;
  const waited = performance.now() - going < 1500;
  going = event.key === "g" && !document.querySelector('[data-key="g"]') ? performance.now() : -Infinity;
  if (going > 0) return;
  const kind = waited ? "go" : "key";
  const found = [...document.querySelectorAll(`[data-${kind}]`)].find((each) => each.dataset[kind] === event.key && !each.disabled);
  if (found) {
    event.preventDefault();
    found.matches("input:not([type=checkbox], [type=radio], [type=submit]), select, textarea") ? found.focus() : found.click();
  }
});

const keys = document.getElementById("keys");
function toggleKeys() {
  if (keys.open) return keys.close();
  const list = keys.querySelector("dl");
  list.replaceChildren();
  for (const each of document.querySelectorAll("[data-key], [data-go], [data-press]")) {
    const key = document.createElement("kbd");
    key.textContent = each.querySelector("kbd")?.textContent ?? each.dataset.key ?? keys.dataset.then.replace("{key}", each.dataset.go);
    const term = document.createElement("dt");
    term.append(key);
    const means = document.createElement("dd");
    means.textContent = each.dataset.means ?? each.textContent.trim();
    list.append(term, means);
  }
  keys.showModal();
}
for (const each of document.querySelectorAll("[data-keys]")) {
  each.hidden = false;
  each.addEventListener("click", toggleKeys);
}
