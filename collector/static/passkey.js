// Asks the browser for a passkey and sends what it gives with the form it belongs to. Without a script, or where the
// browser knows no passkeys, the form's own words say what to do.
"use strict";

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const button = form.querySelector("button");
  const failed = form.querySelector(".failed");
  if (!window.PublicKeyCredential || !PublicKeyCredential.parseRequestOptionsFromJSON) continue;
  form.querySelector(".without").hidden = true;
  button.disabled = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    failed.hidden = true;
    try {
      const asked = JSON.parse(form.dataset.asked);
      const found = form.dataset.passkey === "make"
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked) });
      form.elements.credential.value = JSON.stringify(found.toJSON());
      form.requestSubmit(button);
    } catch {
      failed.hidden = false;
      failed.focus();
    }
  });
}
