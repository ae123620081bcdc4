// Who reads this screening: claimed when the page opens, renewed while it is open, given back when it is left. A page that signs listens to
// the event `claim` of #claim: detail.held says whether its reader holds the screening, detail.claim names the claim.
import { post } from "./console.js";

const RENEWED_S = 30; // a lease takes two minutes
const box = document.getElementById("claim");
const address = `/worklist/${box.dataset.screening}`;
let state = { held: false, by: null, claim: null };

function show(next, says) {
  state = next;
  box.querySelector(".says").textContent = says;
  box.classList.toggle("warning", !next.held);
  const other = next.by !== null && !next.held;
  for (const each of box.querySelectorAll("button"))
    each.hidden = { claim: next.held || other, "give-back": !next.held, "take-over": !other }[each.dataset.does];
  box.dispatchEvent(new CustomEvent("claim", { detail: next, bubbles: true }));
}

async function take(how) {
  try {
    const answer = await post(`${address}/${how}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const told = await answer.json();
    show(told, told.held ? box.dataset.mine : box.dataset.other.replace("{reader}", told.by));
  } catch {
    show({ held: false, by: null, claim: null }, box.dataset.away);
  }
}

async function giveBack() {
  await post(`${address}/give-back`);
  show({ held: false, by: null, claim: null }, box.dataset.none);
}

async function renew() {
  if (!state.held) return;
  try {
    const answer = await post(`${address}/renew`);
    if (answer.ok && !(await answer.json()).held) show({ held: false, by: null, claim: null }, box.dataset.lost);
  } catch {
    // without a network the lease goes on by itself for a while, and the next renewal tells
  }
}

box.addEventListener("click", (event) => {
  const does = event.target.dataset?.does;
  if (does) does === "give-back" ? giveBack() : take(does);
});
setInterval(renew, RENEWED_S * 1000);
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && renew());
addEventListener("pagehide", () => {
  if (!state.held) return;
  const token = document.querySelector("meta[name=token]")?.content ?? "";
  navigator.sendBeacon(`${address}/give-back`, new URLSearchParams({ token }));
});
addEventListener("pageshow", (event) => event.persisted && take("claim"));
take("claim");
