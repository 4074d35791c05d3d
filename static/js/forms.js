// Forms: Ctrl+Enter saves, one submit at a time, a warning before unsaved words are lost, focus on the mistakes.
const changed = new Set();

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
