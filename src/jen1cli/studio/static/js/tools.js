/** What can be done with the open take: a part replaced, extended, varied. */

import { attempt } from "./connection.js";
import { $, clock } from "./dom.js";
import { submit } from "./jobs.js";
import { barAt } from "./music.js";
import * as player from "./player.js";
import { chordsFrom, edit, frame } from "./sheet.js";
import { select, setSnap, view } from "./stage.js";
import { current, on, rootOf, state, takeOf, wordsOf } from "./state.js";

const TABS = ["repair", "extend", "vary"];
/** @type {[number, string][]} */
const AMOUNTS = [[0.2, "barely"], [0.4, "a little"], [0.6, "half-way"], [0.85, "a lot"], [1, "another performance"]];

/** @param {string} name @param {boolean} [focus] whether its first field gets the focus */
export function showTool(name, focus = false) {
  for (const tab of TABS) {
    const chosen = tab === name, button = $(`tab-${tab}`);
    button.setAttribute("aria-selected", String(chosen));
    button.tabIndex = chosen ? 0 : -1;
    $(tab).hidden = !chosen;
  }
  $(name).scrollIntoView({ block: "nearest" });
  if (focus) $(`${name}-prompt`).focus();
}

/** The nearest beat or bar line, as the user chose. @param {number} seconds */
function snapped(seconds) {
  const { sheet } = edit, unit = $("snap").value;
  if (!sheet || !unit) return seconds;
  const index = Math.max(0, barAt(sheet, seconds)), start = sheet.starts[index];
  const step = unit === "bar" ? edit.barSeconds : (edit.barSeconds * sheet.beat) / sheet.steps;
  return Math.min(view.seconds, Math.max(0, start + Math.round((seconds - start) / step) * step));
}

function showSelection() {
  const { selection } = state;
  for (const [id, value] of [["from", selection?.start], ["to", selection?.end]]) {
    if (document.activeElement !== $(id)) $(id).value = value === undefined ? "" : String(Math.round(value * 100) / 100);
  }
  $("repair-none").hidden = Boolean(selection);
  $("selection-play").disabled = $("selection-clear").disabled = !selection;
  $("repair").querySelector("button.primary").disabled = !selection;
}

/** What stands in the two fields becomes the selection, as soon as it is a range. */
function typed() {
  const [start, end] = [$("from"), $("to")].map((input) => (input.value === "" ? NaN : Number(input.value)));
  if (end > start) select({ start, end });
}

/** @param {HTMLFormElement} form @param {(words: string) => [object, string]} request */
function asks(form, request) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const take = current();
    if (!take) return;
    const words = $(`${form.id}-prompt`).value.trim();
    const [body, label] = request(words);
    await attempt(() => submit({ take: take.id, ...body }, label));
  });
}

/** The words in the forms belong to the piece that they were written for. @type {Map<string | null, string[]>} */
const written = new Map();
/** @type {string | null} */
let piece = null;

function changeWords() {
  const next = rootOf(state.current), inputs = TABS.map((name) => $(`${name}-prompt`));
  if (next === piece) return;
  written.set(piece, inputs.map((input) => input.value));
  piece = next;
  const words = written.get(piece) ?? [];
  inputs.forEach((input, i) => { input.value = words[i] ?? ""; });
}

/** Whether the piece began as a file of one's own. */
const isOwn = () => takeOf(rootOf(state.current))?.task === "upload";

/** Without words an edit is made in the words of the piece; it keeps its name all the same. */
function common(form, words) {
  const novelty = $(`${form}-novelty`).value;
  return { input: words || wordsOf(current()), name: current().name, ...(novelty ? { novelty: Number(novelty) } : {}) };
}

/** The score leads what is new; without words a recording leads by itself, by what it repeats. */
const isLed = (words) => edit.score?.heard === false && Boolean(words || !isOwn());

function repair(words) {
  const { start, end } = /** @type {import("./state.js").Range} */ (state.selection);
  const known = isLed(words) ? { ...frame(), ...chordsFrom(start) } : {};
  const body = { task: "inpaint", ...common("repair", words), masks: [`${start}-${end}s`], ...known };
  return [body, `Replace ${clock(start)} to ${clock(end)}${words ? `: ${words}` : ""}`];
}

function extend(words) {
  const side = new FormData($("extend")).get("side"), seconds = Number($("extend-seconds").value) || 10;
  const known = isLed(words) ? frame() : {};
  return [{ task: "continue", side, audio_length: seconds, ...common("extend", words), ...known }, `${seconds} s more ${side === "left" ? "before" : "after"}${words ? `: ${words}` : ""}`];
}

function vary(words) {
  const body = { task: "vary", amount: Number($("amount").value), name: current().name, ...(words ? { input: words } : {}) };
  return [body, `Vary: ${words || current().name}`];
}

/** Say what the chosen novelty does to the open take. */
function showNovelty() {
  for (const form of ["repair", "extend"]) {
    const repeats = isOwn() && !$(`${form}-prompt`).value.trim();
    const automatic = repeats ? "what the recording repeats, else new music" : "all new music";
    $(`${form}-novelty-text`).textContent = { "": automatic, 0: "the words change nothing", 1: "nothing is copied" }[$(`${form}-novelty`).value]
      ?? "what repeats, changed";
  }
}

function showAmount() {
  const value = Number($("amount").value);
  $("amount-text").textContent = AMOUNTS.find(([most]) => value <= most)[1];
}

function showVary() {
  const can = edit.recipe !== null;
  $("vary-none").hidden = can;
  for (const line of $("vary").querySelectorAll(".line")) line.hidden = !can;
}

export function start() {
  setSnap(snapped);
  TABS.forEach((name, i) => {
    const button = $(`tab-${name}`);
    button.addEventListener("click", () => showTool(name));
    for (const part of ["prompt", "novelty"]) $(`${name}-${part}`)?.addEventListener("input", showNovelty);
    button.addEventListener("keydown", (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!move) return;
      event.preventDefault();
      event.stopPropagation();
      const next = TABS[(i + move + TABS.length) % TABS.length];
      showTool(next);
      $(`tab-${next}`).focus();
    });
  });
  showTool("repair");
  asks($("repair"), repair);
  asks($("extend"), extend);
  asks($("vary"), vary);
  $("from").addEventListener("input", typed);
  $("to").addEventListener("input", typed);
  for (const id of ["from", "to"]) $(id).addEventListener("blur", () => state.selection && showSelection());
  $("selection-play").addEventListener("click", player.loopSelection);
  $("selection-clear").addEventListener("click", () => select(null));
  $("amount").addEventListener("input", showAmount);
  on("selection", showSelection);
  on("range-dragged", () => showTool("repair"));
  for (const name of ["listening", "score-known"]) on(name, showVary);
  on("current", changeWords);
  for (const name of ["current", "takes"]) on(name, showNovelty);
  showAmount();
  showSelection();
}
