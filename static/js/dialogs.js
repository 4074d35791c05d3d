// Dialogs: opened over everything, focus goes back to where it came from; menus close on a click elsewhere.
let cameFrom = null;

function open(dialog) {
  cameFrom = cameFrom?.isConnected ? cameFrom : document.activeElement;
  if (dialog.open) dialog.close("reopen");
  document.dispatchEvent(new CustomEvent("hide-all"));
  dialog.showModal();
}

function goBack(dialog) {
  const asked = dialog.dataset.returns && document.getElementById(dialog.dataset.returns);
  const target = asked?.querySelector("button, a[href], input:not([type=hidden])") || (cameFrom?.isConnected ? cameFrom : null);
  cameFrom = null;
  target?.focus();
}

function upgrade(root) {
  root.querySelectorAll?.("dialog[data-modal]").forEach((dialog) => {
    if (!dialog.matches(":modal")) open(dialog);
  });
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    cameFrom = opener.closest(".menu")?.querySelector("summary") || opener;
    open(document.getElementById(opener.dataset.opens));
  }
  if (event.target.closest("[data-closes]")) event.target.closest("dialog").close();
  document.querySelectorAll("details.menu[open]").forEach((menu) => {
    if (!menu.contains(event.target) || opener) menu.open = false;
  });
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
document.addEventListener("close", (event) => {
  if (event.target.matches("dialog") && event.target.returnValue !== "reopen") goBack(event.target);
  event.target.returnValue = "";
}, true);
document.addEventListener("htmx:afterSettle", () => upgrade(document));
upgrade(document);
