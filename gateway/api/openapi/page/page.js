"use strict";
// Searches among the operations, and writes what is entered into the curl texts. Nothing is kept, nothing is sent.

const tools = document.getElementById("tools");
const search = document.getElementById("search");
const found = document.getElementById("found");
const operations = [...document.querySelectorAll(".operation")];

// Within the single quotes of a shell.
const quoted = (text) => text.replaceAll("'", "'\\''").replaceAll(/[\r\n]/g, " ");

function look() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let number = 0;
  for (const one of operations) {
    one.hidden = !words.every((word) => one.dataset.text.includes(word));
    number += !one.hidden;
  }
  for (const section of document.querySelectorAll("main > section")) {
    section.hidden = !section.querySelector(".operation:not([hidden])");
  }
  found.textContent = words.length ? `${number} of ${operations.length}` : "";
}

function set(where, kind, name, text) {
  for (const span of where.querySelectorAll(`.curl [data-is="${kind}"]`)) {
    if (span.dataset.name === name) span.textContent = text === "" ? span.dataset.usual : quoted(text);
  }
}

function setQuery(operation) {
  const inputs = [...operation.querySelectorAll('input[data-in="query"]')].filter((one) => one.value !== "");
  const pairs = inputs.map((one) => `${encodeURIComponent(one.dataset.sets)}=${encodeURIComponent(one.value)}`);
  set(operation, "query", "query", pairs.length ? `?${pairs.join("&")}` : "");
}

function fill(input) {
  const name = input.dataset.sets;
  const operation = input.closest(".operation");
  if (operation === null) {
    const value = name === "base" ? input.value.replace(/\/+$/, "") : input.value;
    set(document, name === "base" || name === "authorization" ? name : "header", name, value);
  } else if (input.dataset.in === "query") {
    setQuery(operation);
  } else {
    const value = input.dataset.in === "path" ? encodeURIComponent(input.value) : input.value;
    set(operation, input.dataset.in, name, value);
  }
}

// What stands open on a page that was found by its address.
function open() {
  const one = document.getElementById(location.hash.slice(1));
  if (one instanceof HTMLDetailsElement) one.open = true;
}

tools.hidden = false;
tools.addEventListener("submit", (event) => event.preventDefault());
search.addEventListener("input", look);
document.addEventListener("input", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.dataset.sets) fill(event.target);
});
addEventListener("hashchange", open);
for (const input of tools.querySelectorAll("[data-sets]")) if (input.value) fill(input);
open();
