// Passkeys: the browser signs our challenge; the answer goes into the form's hidden field and the form is sent.
const offered = typeof window.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";

for (const button of document.querySelectorAll("[data-passkey]")) {
  button.hidden = !offered;
  button.addEventListener("click", () => use(button));
}

async function use(button) {
  const form = button.form;
  const options = JSON.parse(document.getElementById(button.dataset.passkey).textContent).publicKey;
  const note = form.querySelector("[data-passkey-note]");
  // A new passkey needs its name first; using one needs no other field.
  if (button.dataset.act === "create" && !form.reportValidity()) return;
  try {
    const credential = button.dataset.act === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.namedItem("passkey").value = JSON.stringify(credential.toJSON());
    form.noValidate = true;
    form.requestSubmit();
  } catch {
    note.hidden = false;
  }
}
