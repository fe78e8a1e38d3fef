/** Keys of the whole page, and the list of them. */

import { hearNumber } from "./compare.js";
import { $, announce, clock, el } from "./dom.js";
import { redo, undo } from "./history.js";
import * as player from "./player.js";
import { edit } from "./sheet.js";
import { select, zoom } from "./stage.js";
import { current, emit, state } from "./state.js";
import { showTool } from "./tools.js";

/** The selection with one end at the cursor. @param {"start" | "end"} end */
function edge(end) {
  const now = player.time(), { selection } = state;
  const range = end === "start"
    ? { start: now, end: selection && selection.end > now ? selection.end : Math.min(now + 2, current().seconds) }
    : { start: selection && selection.start < now ? selection.start : Math.max(0, now - 2), end: now };
  select(range);
  showTool("repair");
  announce(`Chosen: ${clock(state.selection.start)} to ${clock(state.selection.end)}`);
}

const beat = () => (edit.sheet ? (edit.barSeconds * edit.sheet.beat) / edit.sheet.steps : 1);
const bar = () => edit.barSeconds || 5;

function tool(name) {
  emit("view", "edit");
  showTool(name, true);
}

/** @type {[string, string, () => void][]} the key as the browser names it, what it does, and how */
const KEYS = [
  [" ", "Play or pause", player.toggle],
  ["Home", "To the beginning", () => player.seek(0)],
  ["ArrowLeft", "A beat back; with Shift a bar", () => player.seek(player.time() - beat())],
  ["ArrowRight", "A beat on; with Shift a bar", () => player.seek(player.time() + beat())],
  ["l", "Loop the selection, or all", () => player.setLoop()],
  ["[", "Begin the selection at the cursor", () => edge("start")],
  ["]", "End the selection at the cursor", () => edge("end")],
  ["Escape", "Clear the selection", () => select(null)],
  ["b", "Hear the next of the compared takes", player.hearNext],
  ["↑ ↓", "In the list of takes: to the one above or below", () => undefined],
  ["1 – 4", "Hear take A, B, C or D", () => undefined],
  ["r", "Replace the selection", () => tool("repair")],
  ["e", "Extend", () => tool("extend")],
  ["v", "Vary", () => tool("vary")],
  ["g", "Describe new music", () => { emit("view", "make"); $("prompt").focus(); }],
  ["Ctrl+Z", "Undo: a change of the score, else the take before", undo],
  ["Ctrl+Shift+Z", "Redo: that change, else the take after", redo],
  ["Ctrl+Enter", "Make music, in the form", () => undefined],
  ["+", "Zoom in", () => zoom(1.6)],
  ["−", "Zoom out", () => zoom(1 / 1.6)],
  ["0", "Show all", () => zoom(0)],
  ["?", "Show these keys", showList],
];
const UNDO = "Ctrl+Z", REDO = "Ctrl+Shift+Z";
const SHOWN = { " ": "Space", ArrowLeft: "←", ArrowRight: "→" };
const ALIASES = { "=": "+", "-": "−" };

function showList() {
  if (!$("shortcuts").open) $("shortcuts").showModal();
}

/** Whether a pointer gave the focus: then Space plays, and does not press again what was clicked. */
let isPointed = false;

/** Whether keys belong to what has the focus. @param {HTMLElement} target @param {string} key */
function isTaken(target, key) {
  if (target.id === "bar-chords") return key !== UNDO && key !== REDO;
  if (target.closest("dialog")) return true;
  if (target.matches("textarea, select, input:not([type=range]):not([type=radio])")) return true;
  if (key === " ") return !isPointed && Boolean(target.closest("button, summary, a, input"));
  return target.matches("input") && (key.startsWith("Arrow") || key === "Home");
}

/** The key of an event; with Ctrl those of undo and redo alone. @param {KeyboardEvent} event */
function keyOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!event.ctrlKey && !event.metaKey) return key;
  if (key === "y" || (key === "z" && event.shiftKey)) return REDO;
  return key === "z" ? UNDO : null;
}

/** @param {KeyboardEvent} event */
function pressed(event) {
  const key = keyOf(event);
  if (key === null || event.altKey || isTaken(/** @type {HTMLElement} */ (event.target), key)) return;
  let act;
  if (key === UNDO) act = undo;
  else if (key === REDO) act = redo;
  else if (!state.current && !["?", "g"].includes(key)) {
    return;
  } else if (event.shiftKey && key === "ArrowLeft") act = () => player.seek(player.time() - bar());
  else if (event.shiftKey && key === "ArrowRight") act = () => player.seek(player.time() + bar());
  else if ("1234".includes(key)) act = () => hearNumber(Number(key) - 1);
  else act = KEYS.find(([name]) => name === (ALIASES[key] ?? key))?.[2];
  if (!act) return;
  event.preventDefault();
  if (key === " ") /** @type {HTMLElement} */ (event.target).blur();  // a button acts when the key is let go
  act();
}

export function start() {
  addEventListener("pointerdown", () => { isPointed = true; }, true);
  addEventListener("keydown", ({ key }) => {
    if (key === "Tab" || key.startsWith("Arrow")) isPointed = false;
  }, true);
  addEventListener("keydown", pressed);
  $("help").addEventListener("click", showList);
  $("shortcut-list").append(...KEYS.flatMap(([key, text]) => [
    el("dt", {}, el("kbd", { text: SHOWN[key] ?? key.toUpperCase().replace("CTRL", "Ctrl").replace("SHIFT", "Shift").replace("ENTER", "Enter").replace("HOME", "Home").replace("ESCAPE", "Esc") })),
    el("dd", { text }),
  ]));
}
