// Before the first paint: without a choice of their own, people get their device's light or dark.
if (document.documentElement.hasAttribute("data-theme-auto")) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.setAttribute("data-bs-theme", dark.matches ? "dark" : "light");
  follow();
  dark.addEventListener("change", follow);
}
