// What every page does beyond what HTML does by itself. Without this script every form still works.
import { dialogs } from "./dialogs.js";
import { parts } from "./parts.js";

export const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";

/** Calls `act` for every element that matches, those that are there and those that come with a part later. */
export function each(selector, act) {
  const within = (root) => {
    for (const element of root.querySelectorAll(selector)) {
      const done = (element.done ??= new Set());
      if (!done.has(act)) {
        done.add(act);
        act(element);
      }
    }
  };
  within(document);
  document.addEventListener("part", (event) => within(event.target.parentNode ?? document));
}

/** Says something to people who cannot see the page change, and shows it. */
export function tell(text, kind = "") {
  const said = document.createElement("p");
  said.className = `notice ${kind}`;
  said.textContent = text;
  document.getElementById("notice")?.replaceChildren(said);
}

function copying() {
  each("[data-copy]", (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await navigator.clipboard.writeText(source.value ?? source.textContent);
      } catch {
        // No clipboard without TLS: what is selected can be copied by hand.
        source.select?.();
        document.execCommand("copy");
      }
      const label = button.querySelector("span");
      const before = label.textContent;
      label.textContent = button.dataset.copied;
      setTimeout(() => (label.textContent = before), 1500);
    });
  });
}

// Rows of a form: `data-rows` holds a <template> of one row, `data-add` its button, `data-remove` is in each row.
function rows() {
  each("[data-rows]", (box) => {
    const template = box.querySelector("template");
    const holder = box.querySelector("[data-holder]") ?? box;
    box.querySelector("[data-add]")?.addEventListener("click", (event) => {
      event.preventDefault();
      holder.append(template.content.cloneNode(true));
      const last = holder.lastElementChild;
      last.querySelector("input, select, textarea")?.focus();
      last.dispatchEvent(new CustomEvent("part", { bubbles: true }));
      box.dispatchEvent(new Event("change", { bubbles: true }));
    });
    box.addEventListener("click", (event) => {
      const button = event.target.closest("[data-remove]");
      if (!button) return;
      event.preventDefault();
      button.closest(".row").remove();
      box.querySelector("[data-add]")?.focus();
      box.dispatchEvent(new Event("change", { bubbles: true }));
    });
  });
}

// A box that ticks all boxes of its table, and buttons that need at least one tick.
function ticks() {
  each("[data-tick-all]", (all) => {
    const form = all.closest("form");
    const boxes = () => [...form.querySelectorAll('tbody input[type="checkbox"]')];
    const buttons = () => [...form.querySelectorAll("[data-needs-tick]"), ...document.querySelectorAll(`[data-needs-tick][form="${form.id}"]`)];
    const update = () => {
      const ticked = boxes().filter((box) => box.checked).length;
      all.checked = ticked > 0 && ticked === boxes().length;
      all.indeterminate = ticked > 0 && !all.checked;
      for (const button of buttons()) button.disabled = ticked === 0;
    };
    all.hidden = false;
    all.addEventListener("change", () => {
      for (const box of boxes()) box.checked = all.checked;
      update();
    });
    form.addEventListener("change", update);
    update();
  });
}

// What somebody unfolded stays so when its part of the page is taken anew.
function folds() {
  const unfolded = new Set();
  const keep = ({ target }) => {
    if (target.id && target.isConnected) unfolded[target.open ? "add" : "delete"](target.id);
  };
  document.addEventListener("toggle", keep, true);
  each("details[id]", (fold) => {
    if (unfolded.has(fold.id)) fold.open = true;
  });
}

function focusing() {
  each("[data-focus]", (element) => element.focus());
}

copying();
rows();
ticks();
folds();
focusing();
dialogs(each);
parts(each);
