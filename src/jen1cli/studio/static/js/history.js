/** How the open take came about, as steps to go back and forth on: undo and redo. */

import { $, announce, el } from "./dom.js";
import { open } from "./open.js";
import { edit } from "./sheet.js";
import { on, state, takeOf } from "./state.js";

const WORDS = { generate: "Made", inpaint: "Part replaced", continue: "Extended", vary: "Varied", upload: "Your file" };

/** The child that was open last, by its parent: where redo goes. @type {Map<string, string>} */
const ahead = new Map();

/** @param {import("./state.js").Take} take @returns {string} what was done to get it */
export const deed = (take) => WORDS[take.task] ?? take.task;

/** @param {string} id @returns {string[]} the take and all before it, the first at the front */
function before(id) {
  const line = [];
  for (let take = takeOf(id); take && !line.includes(take.id); take = takeOf(take.parent)) line.unshift(take.id);
  return line;
}

/** @param {string} id @returns {string | null} the take that redo opens */
function next(id) {
  const remembered = takeOf(ahead.get(id) ?? null);
  return remembered?.id ?? state.takes.find((take) => take.parent === id)?.id ?? null;
}

/** @param {string} id @returns {string[]} the takes that redo would go through */
function after(id) {
  const line = [];
  for (let at = next(id); at && !line.includes(at) && at !== id; at = next(at)) line.push(at);
  return line;
}

function step(id, word) {
  if (!id) return;
  open(id);
  announce(`${word}: ${deed(takeOf(id))}, ${takeOf(id).name}`);
}

/** Changes of the score that were not played yet come first, then the takes. */
export function undo() {
  if (edit.back()) announce("Undone: the last change of the score");
  else step(takeOf(takeOf(state.current)?.parent ?? null)?.id, "Undone");
}

export function redo() {
  if (edit.forward()) announce("Redone: the change of the score");
  else step(state.current && next(state.current), "Redone");
}

function buttons() {
  const { current: id } = state, changes = edit.canGo();
  $("undo").disabled = !changes.back && before(id).length < 2;
  $("redo").disabled = !changes.forward && !(id && after(id).length);
}

function show() {
  const { current: id } = state;
  if (!id) return;
  const past = before(id), future = after(id);
  past.slice(1).forEach((child, i) => ahead.set(past[i], child));
  buttons();
  const line = [...past, ...future];
  $("trail").hidden = line.length < 2;
  $("trail").replaceChildren(...line.map((other) => {
    const take = takeOf(other);
    const button = el("button", { type: "button", text: deed(take), title: take.name, on: { click: () => open(other) } });
    if (other === id) button.setAttribute("aria-current", "step");
    return el("li", { className: future.includes(other) ? "ahead" : "" }, button);
  }));
}

export function start() {
  on("current", show);
  on("takes", show);
  on("sheet", buttons);
  $("undo").addEventListener("click", undo);
  $("redo").addEventListener("click", redo);
}
