// A vendor's login in a window of its own: the page that opened it waits, and goes on when it hears that it is done.
import { elsewhere } from "./parts.js";

const channel = new BroadcastChannel("gateway-login");

for (const box of document.querySelectorAll("[data-login]")) {
  const link = box.querySelector("[data-window]");
  link?.addEventListener("click", (event) => {
    if (elsewhere(event)) return;
    const features = `popup,width=620,height=760,left=${screenX + Math.max(0, (outerWidth - 620) / 2)},top=${screenY + 60}`;
    // Where windows are forbidden, the link leads to the vendor in this one.
    if (!window.open(`${link.href}&popup=1`, "gateway-login", features)) return;
    event.preventDefault();
    box.querySelector("[data-waiting]").hidden = false;
  });
  channel.addEventListener("message", (event) => {
    if (event.data === box.dataset.login && window.name !== "gateway-login") location.assign(box.dataset.onward);
  });
}

for (const page of document.querySelectorAll("[data-signed-in]")) {
  channel.postMessage(page.dataset.signedIn);
  if (window.name === "gateway-login") window.close();
}
