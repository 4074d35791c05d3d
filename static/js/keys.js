// Keyboard: any element with data-key="f" (or "alt+n", "alt+1") answers to that key.
const inField = (element) => element.closest("input:not([type=radio], [type=checkbox]), select, textarea, [contenteditable]");
const visible = (element) => element.getClientRects().length > 0;
const first = (selector, within = document) => [...within.querySelectorAll(selector)].find(visible);
const scope = () => [...document.querySelectorAll("dialog[open]")].pop() || document;

function act(element) {
  if (element.matches("input, select, textarea")) element.focus();
  else element.click();
}

function moveRow(step) {
  const rows = [...document.querySelectorAll("[data-rows] tbody tr, [data-rows] > li:not(.meta)")].filter(visible);
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.classList.contains("selected") || row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now + step))];
  rows.forEach((row) => row.classList.toggle("selected", row === next));
  next.querySelector("a, button")?.focus();
}

function moveSection(step) {
  const sections = [...document.querySelectorAll("[data-section]")].filter(visible);
  if (!sections.length) return;
  const now = sections.findIndex((section) => section.contains(document.activeElement));
  const next = sections[Math.min(sections.length - 1, Math.max(0, now + step))];
  next.scrollIntoView({ block: "start" });
  (next.querySelector("a, button, input, select, textarea") || next).focus();
}

function showFocused() {
  const near = document.activeElement?.closest(".secret, .facts > div, td");
  near?.querySelector("[data-show]")?.click();
}

const letters = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  s: showFocused,
  h: () => document.dispatchEvent(new CustomEvent("hide-all")),
};

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.defaultPrevented) return;
  if (event.altKey && !event.ctrlKey && !event.metaKey) return withAlt(event);
  if (event.ctrlKey || event.metaKey || inField(event.target)) return;
  if (document.body.dataset.keys !== "on") return;
  single(event);
});

function withAlt(event) {
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    event.preventDefault();
    return moveSection(event.key === "ArrowDown" ? 1 : -1);
  }
  const pressed = event.code.replace(/^(Key|Digit)/, "").toLowerCase();
  const named = first(`[data-key="alt+${CSS.escape(pressed)}"]`, scope());
  if (named) { event.preventDefault(); act(named); }
}

function single(event) {
  const pressed = event.key.toLowerCase();
  const within = scope();
  const digit = within !== document && first(`[data-digit="${CSS.escape(pressed)}"]`, within);
  if (digit) {
    event.preventDefault();
    const input = digit.closest("label").querySelector("input");
    input.focus();
    return input.click();
  }
  const named = first(`[data-key="${CSS.escape(pressed)}"]`, within);
  if (named) { event.preventDefault(); return act(named); }
  if (within === document && letters[pressed]) { event.preventDefault(); letters[pressed](); }
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-keys-switch]")) return;
  document.body.dataset.keys = event.target.checked ? "on" : "off";
  document.cookie = `epicase_keys=${document.body.dataset.keys}; path=/; max-age=31536000; samesite=lax`;
});
