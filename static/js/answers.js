// Answers to htmx: what went wrong in words, and a sign-in page is never swapped into a piece of this one.
const fault = document.getElementById("fault");
const words = { 403: "forbidden", 404: "refused", 429: "often", 503: "unlogged" };

function tell(kind) {
  fault.textContent = fault.dataset[kind] || fault.dataset.broken;
  fault.hidden = false;
  setTimeout(() => { fault.hidden = true; }, 12000);
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const signIn = document.body.dataset.signIn;
  const answered = event.detail.xhr.responseURL && new URL(event.detail.xhr.responseURL).pathname;
  if (!signIn || answered !== signIn) return;
  event.detail.shouldSwap = false;
  document.dispatchEvent(new CustomEvent("hide-all"));
  window.location.assign(signIn);
});
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  tell(xhr.getResponseHeader("Epicase-Fault") || words[xhr.status] || "broken");
});
document.addEventListener("htmx:sendError", () => tell("offline"));
