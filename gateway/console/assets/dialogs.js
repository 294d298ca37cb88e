// Links with `data-dialog` show the page that they lead to as a dialog: its `[data-page]` element, or all of its main part.
// A form in it that is refused stays open with what was typed; one that leads on closes it.
import { elsewhere, fetched, sendAsIs, sent, taken } from "./parts.js";

let dialog = null;

function made() {
  dialog = document.createElement("dialog");
  dialog.addEventListener("close", () => dialog.replaceChildren());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog && !dialog.querySelector("form")) dialog.close();
    const close = event.target.closest("[data-close]");
    if (close) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("submit", submitted);
  document.body.append(dialog);
  return dialog;
}

function fill(page) {
  const content = page.querySelector("[data-page]") ?? page.getElementById("main");
  content.removeAttribute("id");
  dialog.replaceChildren(document.adoptNode(content));
  const heading = dialog.querySelector("h1, h2");
  if (heading) {
    heading.id ||= "dialog-heading";
    dialog.setAttribute("aria-labelledby", heading.id);
  }
  dialog.firstElementChild.dispatchEvent(new CustomEvent("part", { bubbles: true }));
}

// A form begins at its first field, and not at a button that nobody sees.
function firstField() {
  const fields = 'input:not([type="hidden"], [readonly]), select, textarea';
  return dialog.querySelector("[data-focus]") ?? dialog.querySelector(fields);
}

async function submitted(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method === "dialog" || form.dataset.part !== undefined) return;
  event.preventDefault();
  const [url, options] = sent(form, event.submitter);
  for (const button of form.querySelectorAll("button")) button.disabled = true;
  const found = await fetched(url, options).catch(() => null);
  if (!found) {
    sendAsIs(form, event.submitter);
    return;
  }
  const same = new URL(found.url).pathname === location.pathname;
  if (!found.redirected) fill(found.page);
  else if (same && taken(found.page, ["main"])) dialog.close();
  else location.assign(found.url);
}

export function dialogs(each) {
  each("a[data-dialog]", (link) => {
    link.addEventListener("click", async (event) => {
      if (elsewhere(event)) return;
      event.preventDefault();
      const found = await fetched(link.href).catch(() => null);
      if (!found) {
        location.assign(link.href);
        return;
      }
      dialog ?? made();
      fill(found.page);
      if (!dialog.open) dialog.showModal();
      firstField()?.focus();
      const back = link.id;
      dialog.addEventListener("close", () => (document.getElementById(back) ?? link).focus?.(), { once: true });
    });
  });
}
