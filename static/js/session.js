// Time left in the session, and the choice of light or dark.
const shown = document.getElementById("session");
let ends = shown && Date.now() + Number(shown.dataset.seconds) * 1000;
let warned = false;

function tick() {
  const left = Math.max(0, Math.round((ends - Date.now()) / 1000));
  const minutes = String(Math.floor(left / 60)).padStart(2, "0");
  shown.querySelector("[data-clock]").textContent = `${minutes}:${String(left % 60).padStart(2, "0")}`;
  shown.classList.toggle("soon", left <= 60);
  if (left <= 60 && !warned) {
    warned = true;
    document.getElementById("spoken").textContent = shown.dataset.say;
  }
  if (left === 0) leave();
}

function leave() {
  clearInterval(clock);
  document.dispatchEvent(new CustomEvent("hide-all"));
  window.dispatchEvent(new CustomEvent("session-ended"));
  window.location.assign(document.body.dataset.signIn || "/");
}

const clock = shown && setInterval(tick, 1000);
document.addEventListener("htmx:afterRequest", (event) => {
  if (!shown || !event.detail.successful || event.detail.requestConfig.verb === "get") return;
  ends = Date.now() + Number(shown.dataset.seconds) * 1000;
  warned = false;
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const root = document.documentElement;
  const next = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
  root.setAttribute("data-bs-theme", next);
  document.cookie = `epicase_theme=${next}; path=/; max-age=31536000; samesite=lax`;
});
