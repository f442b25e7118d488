"use strict";
// What makes the pages of the staff smoother; all of them work without it.

const kept = {
  get: (name) => localStorage.getItem(`musebot-${name}`) === "yes",
  set: (name, on) => localStorage.setItem(`musebot-${name}`, on ? "yes" : "no"),
};

// --- settings of this browser ----------------------------------------------------------------------------------------

for (const section of document.querySelectorAll("[data-needs-script]")) section.hidden = false;

for (const box of document.querySelectorAll("[data-setting]")) {
  box.checked = kept.get(box.dataset.setting);
  box.addEventListener("change", async () => {
    if (box.dataset.setting === "notify" && box.checked) {
      box.checked = (await Notification.requestPermission()) === "granted";
    }
    kept.set(box.dataset.setting, box.checked);
    if (box.dataset.setting === "sound" && box.checked) beep();
  });
}

// --- somebody needs a person -----------------------------------------------------------------------------------------

function beep() {
  const sound = new AudioContext();
  const tone = sound.createOscillator();
  tone.frequency.value = 660;
  tone.connect(sound.destination);
  tone.start();
  tone.stop(sound.currentTime + 0.25);
  tone.onended = () => sound.close();
}

let newest = null; // reason to look, when the page was opened
let waiting = 0; // people

document.addEventListener("htmx:afterSwap", () => {
  const urgent = document.getElementById("urgent");
  const last = urgent?.dataset.last;
  if (last === undefined) return;
  const number = Number(urgent.dataset.number);
  if (newest !== null && (last > newest || number > waiting)) {
    if (kept.get("sound")) beep();
    if (kept.get("notify") && Notification.permission === "granted") new Notification(urgent.dataset.words);
  }
  newest = newest === null || last > newest ? last : newest;
  waiting = number;
});

// Where somebody goes on writing. The fragment of the address takes the focus away until the page is loaded.
addEventListener("load", () => setTimeout(() => document.querySelector("[data-first]")?.focus()));

// --- keys ------------------------------------------------------------------------------------------------------------

const isTyping = (element) => element.matches("input:not([type=checkbox]), textarea, select") || element.isContentEditable;

/** Moves to the next item, or the one before. */
function step(by) {
  const items = Array.from(document.querySelectorAll("[data-item]"));
  const now = items.findIndex((item) => item.contains(document.activeElement));
  const next = items[now < 0 ? (by > 0 ? 0 : items.length - 1) : now + by];
  next?.focus();
  next?.scrollIntoView({ block: "center" });
}

/** What a key is for: in the item that has the focus, else anywhere on the page, but in no other item. */
function target(key) {
  const mark = `[data-key="${CSS.escape(key)}"]`;
  const here = document.activeElement?.closest("[data-item]")?.querySelector(mark);
  return here ?? Array.from(document.querySelectorAll(mark)).find((each) => !each.closest("[data-item]"));
}

function showKeys() {
  const dialog = document.getElementById("keys");
  const words = document.getElementById("key-words");
  if (!dialog || !words) return;
  const list = dialog.querySelector("ul");
  const seen = new Map([["j", words.dataset.j], ["k", words.dataset.k], ["?", words.dataset.help]]);
  for (const each of document.querySelectorAll("[data-key]")) {
    const label = each.closest("label")?.firstChild?.textContent ?? each.textContent;
    if (!seen.has(each.dataset.key)) seen.set(each.dataset.key, label.trim());
  }
  list.replaceChildren();
  for (const [key, label] of seen) {
    const line = document.createElement("li");
    const name = document.createElement("kbd");
    name.textContent = key;
    line.append(name, ` ${label}`);
    list.append(line);
  }
  dialog.showModal();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || kept.get("no-keys")) return;
  if (event.key === "?") showKeys();
  else if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else {
    const found = target(event.key);
    if (!found) return;
    // A letter that was meant for a message may not act on a person: buttons of the page wait for Enter.
    if (found.tagName === "BUTTON" && !found.closest("[data-item]")) found.focus();
    else if (isTyping(found)) found.focus();
    else found.click();
  }
  event.preventDefault();
});

// --- charts: made from the tables beside them ------------------------------------------------------------------------

const MOST_LABELS = innerWidth < 600 ? 5 : 8; // of columns

/** A list that tells which colour is which, where there are several. */
function legend(names) {
  const list = document.createElement("ul");
  list.className = "charts-css legend legend-inline legend-square";
  for (const name of names) {
    const item = document.createElement("li");
    item.textContent = name;
    list.append(item);
  }
  return list;
}

for (const place of document.querySelectorAll("[data-chart]")) {
  const from = document.getElementById(place.dataset.of);
  const rows = Array.from(from.tBodies[0].rows).slice(0, place.dataset.most);
  const isColumns = place.dataset.chart.startsWith("column");
  const every = isColumns ? Math.ceil(rows.length / MOST_LABELS) : 1;
  const chart = document.createElement("table");
  chart.className = `charts-css ${place.dataset.chart}`;
  const body = chart.createTBody();
  for (const [number, row] of rows.entries()) {
    const sizes = row.querySelectorAll("[data-size]");
    if (!sizes.length) continue;
    const made = body.insertRow();
    const head = document.createElement("th");
    const label = row.cells[0].textContent;
    if (number % every === 0) head.textContent = isColumns ? label.slice(-5) : label; // of a day, month and day
    made.append(head);
    for (const each of sizes) {
      const cell = made.insertCell();
      cell.style.setProperty("--size", each.dataset.size);
      const column = from.tHead.rows[0].cells[each.cellIndex].textContent;
      cell.title = `${label}, ${column}: ${each.textContent}`;
    }
  }
  if (!body.rows.length) continue;
  place.append(chart);
  const heads = Array.from(rows[0].querySelectorAll("[data-size]"), (cell) => from.tHead.rows[0].cells[cell.cellIndex].textContent);
  if (heads.length > 1) place.append(legend(heads));
}
