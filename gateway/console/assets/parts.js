// Pages that change in part: a form or link with `data-part="id …"` fetches the page it leads to, and takes only those
// elements of it. `data-refresh="10"` on an element with an id takes that element anew every ten seconds.

/** Whether a click asks for another window or tab, which is the browser's to open. */
export const elsewhere = (event) => event.ctrlKey || event.metaKey || event.shiftKey;

/** Fetches a page; null where only the browser itself can go on (nobody is signed in any more, or it is no page). */
export async function fetched(url, options = {}) {
  const answer = await fetch(url, { ...options, headers: { "X-Requested-With": "console", ...options.headers } });
  const type = answer.headers.get("Content-Type") ?? "";
  if (answer.status === 401 || !type.startsWith("text/html")) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const signIn = new URL(answer.url).pathname === "/console/sign-in";
  return signIn ? null : { page, url: answer.url, redirected: answer.redirected, ok: answer.ok };
}

/** Puts elements of a page in the place of those with the same ids; whether all of them were there. */
export function taken(page, ids) {
  const pairs = ids.map((id) => [document.getElementById(id), page.getElementById(id)]);
  if (pairs.some(([here, there]) => !here || !there)) return false;
  const notice = page.querySelector("#notice > *");
  notice?.remove();
  for (const [here, there] of pairs) {
    const active = here.contains(document.activeElement) ? document.activeElement : null;
    const fresh = document.adoptNode(there);
    here.replaceWith(fresh);
    if (active) refocus(active, fresh);
    fresh.dispatchEvent(new CustomEvent("part", { bubbles: true }));
  }
  if (notice) {
    document.getElementById("notice").replaceChildren(document.adoptNode(notice));
    // It is said; the page that is opened next need not say it again.
    document.cookie = "gateway-notice=; Max-Age=0; Path=/console";
  }
  return true;
}

// Who stood at something that is gone with the old part stands at the beginning of the new one, and not of the page.
function refocus(active, fresh) {
  const again = active.id && document.getElementById(active.id);
  if (!again) fresh.tabIndex = -1;
  (again || fresh).focus({ preventScroll: !again });
}

/** What a form sends, with the button that was pressed. */
export function sent(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
  const url = new URL(action, location.href);
  if (form.method === "get") {
    url.search = [...fields].filter(([, value]) => value).map((pair) => pair.map(encodeURIComponent).join("=")).join("&");
    return [url.href, {}];
  }
  return [url.href, { method: "POST", body: fields }];
}

/** Sends a form as the browser does by itself, with the button that was pressed. */
export function sendAsIs(form, submitter) {
  if (submitter?.hasAttribute("formaction")) form.action = submitter.formAction;
  if (submitter?.name) {
    const pressed = document.createElement("input");
    Object.assign(pressed, { type: "hidden", name: submitter.name, value: submitter.value });
    form.append(pressed);
  }
  HTMLFormElement.prototype.submit.call(form);
}

/** Goes on after a form whose answer has none of the parts: what was done already is not done again. */
export function goOn(form, submitter, found) {
  if (!found) sendAsIs(form, submitter);
  else if (found.redirected) location.assign(found.url);
  else if (!taken(found.page, ["main"])) location.reload();
}

function forms(each) {
  each("form[data-part]", (form) => {
    const ids = form.dataset.part.split(" ");
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const [url, options] = sent(form, event.submitter);
      form.classList.add("busy");
      const found = await fetched(url, options).catch(() => null);
      form.classList.remove("busy");
      if (!found || !taken(found.page, ids)) {
        if (form.method === "get") location.assign(url);
        else goOn(form, event.submitter, found);
        return;
      }
      if (form.method === "get") history.replaceState(null, "", found.url);
    });
    if (form.dataset.soon !== undefined) soon(form);
  });
}

// A form of filters asks as soon as something is chosen, or nothing was typed for a moment.
function soon(form) {
  let timer = 0;
  form.addEventListener("input", (event) => {
    clearTimeout(timer);
    timer = setTimeout(() => form.requestSubmit(), event.target.matches("select, [type=checkbox]") ? 0 : 350);
  });
}

function links(each) {
  each("a[data-part]", (link) => {
    link.addEventListener("click", async (event) => {
      if (elsewhere(event)) return;
      event.preventDefault();
      const found = await fetched(link.href).catch(() => null);
      if (!found || !taken(found.page, link.dataset.part.split(" "))) location.assign(link.href);
      else history.pushState(null, "", link.href);
    });
  });
  window.addEventListener("popstate", () => location.reload());
}

function refreshing(each) {
  each("[data-refresh]", (element) => {
    const again = async () => {
      const here = document.getElementById(element.id);
      if (here !== element) return;
      if (!document.hidden && !element.contains(document.activeElement) && !document.querySelector("dialog[open]")) {
        const found = await fetched(location.href, { headers: { "X-Alone": "true" } }).catch(() => null);
        if (found && taken(found.page, [element.id])) return;
      }
      setTimeout(again, 1000 * element.dataset.refresh);
    };
    setTimeout(again, 1000 * element.dataset.refresh);
  });
}

export function parts(each) {
  forms(each);
  links(each);
  refreshing(each);
}
