// Forms: Ctrl+Enter saves, one submit at a time, a warning before unsaved words are lost, focus on the mistakes.
const changed = new Set();

// The server's words stand in for the browser's own check; without this script that check stays, because a
// browser sends an impossible date or number as an empty value.
const useOwnWords = (root) => {
  for (const form of root.querySelectorAll("form[data-own-words]")) form.noValidate = true;
};
useOwnWords(document);
document.addEventListener("htmx:load", () => useOwnWords(document));

const describe = (field, change) => {
  const ids = change((field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean));
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
};
const takeBack = (field) => {
  if (!document.getElementById(`${field.id}_bad`)) return;
  document.getElementById(`${field.id}_bad`).remove();
  field.removeAttribute("aria-invalid");
  describe(field, (ids) => ids.filter((id) => id !== `${field.id}_bad`));
};
const refuse = (field) => {
  takeBack(field);
  document.getElementById(`${field.id}_error`)?.remove();
  const mistake = document.getElementById("bad-input").content.firstElementChild.cloneNode(true);
  mistake.id = `${field.id}_bad`;
  for (const words of mistake.querySelectorAll("[data-type]")) if (words.dataset.type !== field.type) words.remove();
  (field.closest(".field") || field.parentElement).append(mistake);
  field.setAttribute("aria-invalid", "true");
  describe(field, (ids) => [...ids.filter((id) => id !== `${field.id}_error`), mistake.id]);
  const folded = field.closest("details");
  if (folded) folded.open = true;
};
const isBad = (field) => ["date", "datetime-local", "number"].includes(field.type) && field.validity.badInput;

// Before everything else that listens: what is stopped here was never submitted.
document.addEventListener("submit", (event) => {
  const bad = [...event.target.elements].filter(isBad);
  if (!bad.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  bad.forEach(refuse);
  bad[0].focus();
}, true);
// Forms that the browser checks itself.
document.addEventListener("invalid", (event) => {
  if (!isBad(event.target)) return;
  event.preventDefault();
  refuse(event.target);
  if (event.target.form.querySelector(":is(input, select, textarea):invalid") === event.target) event.target.focus();
}, true);
document.addEventListener("input", (event) => {
  if (event.target.validity && !event.target.validity.badInput) takeBack(event.target);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const form = event.target.closest("form");
  if (form) { event.preventDefault(); form.requestSubmit(); }
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-warn]");
  if (form) changed.add(form);
});
document.addEventListener("submit", (event) => {
  changed.delete(event.target);
  const button = event.submitter;
  if (!button?.dataset.busy) return;
  // After the submit has read its name and value: a disabled button sends nothing.
  setTimeout(() => { button.textContent = button.dataset.busy; button.disabled = true; });
});
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful) changed.delete(event.target.closest?.("form"));
});
window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});
window.addEventListener("session-ended", () => changed.clear());

// Plain text fill of a demo account on the sign-in page.
document.addEventListener("click", (event) => {
  const account = event.target.closest("[data-fill]");
  if (!account) return;
  document.getElementById("id_username").value = account.dataset.fill;
  document.getElementById("id_password").value = account.dataset.password;
  document.getElementById("id_password").focus();
});

// A choice that filters or sorts sends its form at once.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-sends]")) event.target.form.requestSubmit();
});

const toMistakes = (root) => {
  const summary = root.matches?.("[data-error-summary]") ? root : root.querySelector("[data-error-summary]");
  summary?.focus();
};
toMistakes(document);
document.addEventListener("htmx:load", (event) => event.target === document.body || toMistakes(event.target));
