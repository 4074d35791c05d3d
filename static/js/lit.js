// Open personal data hides by itself: after its seconds, on H, on leaving the page, when the session ends.
const say = (text) => { document.getElementById("spoken").textContent = text; };
const clocks = new Map();

function start(clock) {
  clocks.set(clock, { ends: Date.now() + Number(clock.dataset.lit) * 1000, soon: false });
  say(clock.dataset.shown);
  clock.closest(".secret").querySelector("[data-hide]")?.focus();
}

function hide(clock, aloud = true) {
  clocks.delete(clock);
  const secret = clock.closest(".secret");
  const masked = secret?.querySelector("template[data-masked]");
  if (!masked) return;
  const hadFocus = secret.contains(document.activeElement);
  secret.replaceChildren(masked.content.cloneNode(true));
  window.htmx?.process(secret);
  if (hadFocus) secret.querySelector("[data-show]")?.focus();
  if (aloud) say(clock.dataset.hidden);
}

function tick() {
  for (const [clock, { ends, soon }] of clocks) {
    if (!clock.isConnected) { clocks.delete(clock); continue; }
    const left = Math.ceil((ends - Date.now()) / 1000);
    if (left <= 0) { hide(clock); continue; }
    clock.textContent = clock.dataset.words.replace("{n}", left);
    if (left <= 10 && !soon) { clocks.set(clock, { ends, soon: true }); say(clock.dataset.soon); }
  }
  document.querySelectorAll("[data-lit-until]").forEach(closeSection);
}

// A section opened for editing is closed by its own link, so that the server knows too.
function closeSection(section) {
  if (Date.now() < Number(section.dataset.litUntil) * 1000) return;
  section.removeAttribute("data-lit-until");
  section.querySelector("[data-lit-close]")?.click();
}

function hideAll() {
  [...clocks.keys()].forEach((clock) => hide(clock, false));
}

const find = (root) => root.querySelectorAll("[data-lit]").forEach((clock) => clocks.has(clock) || start(clock));

find(document);
setInterval(tick, 250);
document.addEventListener("htmx:load", (event) => find(event.target));
document.addEventListener("hide-all", hideAll);
document.addEventListener("click", (event) => {
  const secret = event.target.closest("[data-hide]")?.closest(".secret");
  if (secret) hide(secret.querySelector("[data-lit]"));
});
window.addEventListener("pagehide", hideAll);
window.addEventListener("beforeprint", () => "printAudited" in document.body.dataset || hideAll());
document.addEventListener("visibilitychange", () => document.hidden && hideAll());
