// The editor of 3rd-party connectors: what would be sent, while it is typed; placeholders put in where the cursor was;
// a test beside the form. Without this script the same buttons send the form.
import { each } from "./console.js";
import { fetched, sendAsIs, taken } from "./parts.js";

const WAIT = 350;
const TEMPLATES = '[name="url"], [name="headers.value"], [name="data.value"]';
const ROW = /^(headers|data)\.(name|value|kind)$/;

const fields = (form) => ({ method: "POST", body: new URLSearchParams(new FormData(form)) });

/** The fields of a form by the names that problems have; rows are told by their place. */
function named(form) {
  const times = {};
  const found = new Map();
  for (const field of form.elements) {
    const row = ROW.exec(field.name);
    const number = row ? (times[field.name] = (times[field.name] ?? -1) + 1) : 0;
    const name = row ? `${row[1]}.${number}.${row[2]}` : field.name;
    if (name && field.type !== "hidden" && !found.has(name)) found.set(name, field);
  }
  return found;
}

function pointed(field, problem) {
  const others = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((id) => id && !id.endsWith("-problem"));
  const all = problem ? [...others, problem] : others;
  if (all.length) field.setAttribute("aria-describedby", all.join(" "));
  else field.removeAttribute("aria-describedby");
  if (problem) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

/** Shows the problems of an answered page at the fields of the form that stands here. */
function marked(form, page) {
  for (const old of form.querySelectorAll(".problem")) old.remove();
  for (const field of form.querySelectorAll("[aria-invalid]")) pointed(field, "");
  const here = named(form);
  const problems = page.querySelectorAll("form[data-editor] .problem");
  if (!problems.length) form.querySelector("#problems").replaceChildren();
  for (const said of problems) {
    const name = said.id.replace(/-problem$/, "");
    const field = here.get(name);
    const problem = document.adoptNode(said);
    if (field?.type === "checkbox") field.closest("fieldset").querySelector("legend").after(problem);
    else if (field) {
      field.after(problem);
      pointed(field, problem.id);
    } else form.querySelector(`[data-problems="${CSS.escape(name)}"]`)?.append(problem);
  }
}

function editor(form) {
  let timer = 0;
  let latest = 0;
  // What is to be taken from the next answer, and from the one that is under way: a later question asks for both.
  const wanted = new Set();
  let asked = [];
  const look = async () => {
    const mine = ++latest;
    const ids = (asked = [...new Set([...asked, ...wanted])]);
    wanted.clear();
    const found = await fetched(form.dataset.editor, fields(form)).catch(() => null);
    if (!found?.ok || mine !== latest || !form.isConnected) return;
    asked = [];
    marked(form, found.page);
    taken(found.page, ids);
  };
  const changed = (event) => {
    const name = event.target.name;
    wanted.add("preview");
    if (name === "event") wanted.add("values");
    if (name === "search") wanted.add("instances");
    clearTimeout(timer);
    timer = setTimeout(look, event.type === "change" ? 0 : WAIT);
  };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.name === "search") event.preventDefault();
  });
  form.addEventListener("submit", () => latest++);
}

function tester(button) {
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const { form } = button;
    button.disabled = true;
    const found = await fetched(button.formAction, fields(form)).catch(() => null);
    button.disabled = false;
    if (found && form.isConnected) {
      marked(form, found.page);
      if (taken(found.page, ["preview", "tested"])) {
        button.focus();
        document.getElementById("tested").scrollIntoView({ block: "nearest" });
        return;
      }
    }
    // Nobody is signed in any more, or it failed: the browser itself goes there with what was typed.
    sendAsIs(form, button);
  });
}

let last = null;
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.(TEMPLATES)) last = event.target;
});

function insertable(code) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet third-insert";
  button.textContent = code.textContent;
  button.addEventListener("click", () => {
    const { form } = button;
    const values = form.querySelectorAll('[name="data.value"]');
    const field = last?.isConnected && last.form === form ? last : (values[values.length - 1] ?? form.elements.url);
    field.setRangeText(button.textContent, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  code.replaceWith(button);
}

// The table behind the dialog knows of what was made before the dialog is closed.
async function made() {
  const found = await fetched(location.href).catch(() => null);
  if (found) taken(found.page, ["main"]);
}

each("form[data-editor]", editor);
each("[data-test]", tester);
each("[data-insert]", insertable);
each("dialog [data-made]", made);
