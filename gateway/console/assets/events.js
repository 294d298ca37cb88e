// The list of events while it is open: fresh lines come in at the top, and lines that were pending are looked at again.
import { each } from "./console.js";
import { fetched } from "./parts.js";

const MOST_LINES = 200;
const LOOK_AGAIN_MS = 4000;
const MOST_LOOKED_AT = 50;
const SAY_EVERY_MS = 8000;
const COME_AGAIN_MS = 10_000;

let stream = null;

/** The rows that a piece of HTML holds. */
function rowsOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll("tr")];
}

class Live {
  constructor(list) {
    this.list = list;
    this.body = list.querySelector("[data-lines]");
    this.held = [];
    this.more = 0;
    this.unsaid = 0;
    this.paused = false;
    this.pointed = false;
    list.querySelector("[data-live-bar]").hidden = false;
    this.button = list.querySelector("#pause");
    this.button.addEventListener("click", () => this.pause(!this.paused));
    // Nobody wants to press a line that moves away.
    this.body.addEventListener("pointerenter", (event) => this.point(event.pointerType === "mouse"));
    this.body.addEventListener("pointerleave", () => this.point(false));
    this.body.addEventListener("focusin", () => this.point(true));
    this.body.addEventListener("focusout", () => this.point(false));
    this.open();
    this.saying = setInterval(() => this.say(), SAY_EVERY_MS);
  }

  open() {
    this.source = new EventSource(this.list.dataset.live);
    this.source.addEventListener("begin", () => this.look("on"));
    this.source.addEventListener("lines", (event) => this.take(JSON.parse(event.data)));
    this.source.addEventListener("anew", () => location.reload());
    this.source.addEventListener("ended", () => this.end());
    this.source.addEventListener("error", () => this.broken());
  }

  broken() {
    if (this.source.readyState !== EventSource.CLOSED) {
      this.look("lost");
      return;
    }
    // The answer was no stream: nobody is signed in any more, or the gateway is full or away.
    this.look("lost");
    this.again = setTimeout(async () => {
      const found = await fetched(location.href).catch(() => undefined);
      if (found === null) this.end();
      else if (this.list.isConnected) this.open();
    }, COME_AGAIN_MS);
  }

  end() {
    this.close();
    this.look("ended");
    this.button.hidden = true;
  }

  close() {
    clearInterval(this.saying);
    clearTimeout(this.again);
    this.source.close();
  }

  look(state) {
    this.state = state;
    const shown = state !== "on" ? state : this.paused ? "paused" : this.pointed && this.held.length ? "held" : "on";
    for (const text of this.list.querySelectorAll("[data-when]")) text.hidden = text.dataset.when !== shown;
    this.button.dataset.held = this.held.length;
  }

  pause(paused) {
    this.paused = paused;
    this.button.setAttribute("aria-pressed", String(paused));
    this.flush();
    this.look(this.state);
  }

  point(pointed) {
    this.pointed = pointed;
    this.flush();
    this.look(this.state);
  }

  take(message) {
    this.held = [...rowsOf(message.lines), ...this.held];
    this.more += message.more + Math.max(0, this.held.length - MOST_LINES);
    this.held.length = Math.min(this.held.length, MOST_LINES);
    this.unsaid += message.number;
    this.flush();
    this.look(this.state);
  }

  flush() {
    if (this.paused || this.pointed || !this.held.length) return;
    if (document.querySelector("[data-first]")) {
      location.reload();
      return;
    }
    const fresh = this.held.filter((row) => !document.getElementById(row.id));
    this.held = [];
    for (const row of fresh) row.classList.add("fresh");
    this.body.prepend(...fresh);
    while (this.body.rows.length > MOST_LINES) this.body.lastElementChild.remove();
    this.list.querySelector("[data-table]").hidden = false;
    this.list.querySelector("[data-empty]")?.remove();
    this.place();
    const more = this.list.querySelector("[data-more]");
    if (this.more) more.textContent = more.dataset.text.replace("{number}", this.more.toLocaleString());
  }

  /** What is older begins behind the last line that is there. */
  place() {
    const older = this.list.querySelector("[data-older]");
    const last = this.body.lastElementChild;
    if (!older || !last) return;
    const address = new URL(older.href);
    address.searchParams.set("before", last.dataset.cursor);
    older.href = address.href;
  }

  say() {
    if (!this.unsaid || this.paused) return;
    const said = this.list.querySelector("[data-said]");
    said.textContent = this.unsaid === 1 ? said.dataset.one : said.dataset.other.replace("#", this.unsaid.toLocaleString());
    this.unsaid = 0;
  }
}

/** Lines that were on their way when they were shown, once more. */
async function lookAgain() {
  const pending = [...document.querySelectorAll("tr[data-unsettled]")].slice(0, MOST_LOOKED_AT);
  if (pending.length && !document.hidden) {
    const query = pending.map((row) => `id=${row.id.replace("event-", "")}`).join("&");
    const found = await fetched(`/console/events/rows?${query}`, { headers: { "X-Alone": "true" } }).catch(() => null);
    for (const row of pending) {
      const fresh = found?.page.getElementById(row.id);
      if (!fresh || !row.isConnected || row.contains(document.activeElement)) continue;
      fresh.dataset.cursor = row.dataset.cursor;
      row.replaceWith(document.adoptNode(fresh));
    }
  }
  setTimeout(lookAgain, LOOK_AGAIN_MS);
}

each("#list", (list) => {
  stream?.close();
  stream = list.dataset.live === undefined ? null : new Live(list);
});
if (document.getElementById("list")) setTimeout(lookAgain, LOOK_AGAIN_MS);
window.addEventListener("pagehide", () => stream?.close());
window.addEventListener("pageshow", (event) => event.persisted && location.reload());
