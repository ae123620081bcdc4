"use strict";

// Single keys press what carries them, except while somebody types.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const at = event.target;
  if (at.matches("input[type=text], input[type=number], select, textarea")) return;
  const found = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key.toLowerCase());
  if (found) {
    event.preventDefault();
    found.click();
  }
});

document.querySelectorAll("[data-print]").forEach((each) => each.addEventListener("click", () => window.print()));

// The code that stands behind the # of the address: it never reaches the server by itself, nor the browser's history.
const door = document.querySelector("[data-door]");
if (door && location.hash.length > 1) {
  door.elements.code.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
  door.submit();
}
