/** The list of takes: open, compare, rename, delete. */

import { call, peaksOf, takePath } from "./api.js";
import { attempt } from "./connection.js";
import { $, ago, announce, ask, clock, colour, el, fresh, iconButton } from "./dom.js";
import { deed } from "./history.js";
import { open, refresh } from "./open.js";
import { emit, on, set, state, takeOf } from "./state.js";

const POINTS = 120, MOST_COMPARED = 3;
/** @type {Map<string, {low: number[], high: number[]}>} */
const shapes = new Map();
/** Takes that nobody has opened yet. @type {Set<string>} */
const unseen = new Set();

/** @param {string} id */
export async function rename(id) {
  const take = takeOf(id);
  const name = await ask({ title: "Rename the take", value: take.name, yes: "Rename" });
  if (!name?.trim() || name.trim() === take.name) return;
  await attempt(async () => {
    await call(takePath(id), { method: "PATCH", json: { name: name.trim() } });
    await refresh();
  });
}

/** @param {string} id */
export async function remove(id) {
  const take = takeOf(id);
  const text = `“${take.name}” is deleted from this computer. This cannot be undone.`;
  if ((await ask({ title: "Delete this take?", text, yes: "Delete" })) === null) return;
  await attempt(async () => {
    // after its deletion the take that it came from is nearest
    const next = take.parent && takeOf(take.parent) ? take.parent : state.takes.find((other) => other.id !== id)?.id;
    await call(takePath(id), { method: "DELETE" });
    if (state.current === id) open(next ?? null);
    await refresh();
    announce(`${take.name} is deleted`);
  });
}

/** Put a take beside the open one, or away. @param {string} id */
export function compare(id) {
  const { compared } = state;
  if (compared.includes(id)) set({ compared: compared.filter((other) => other !== id) });
  else if (id !== state.current) set({ compared: [...compared, id].slice(-MOST_COMPARED) });
  emit("view", "edit");
}

/** @param {import("./state.js").Take} take */
function row(take) {
  const isOpen = take.id === state.current;
  const beside = iconButton("compare", `Compare with the open take: ${take.name}`, () => compare(take.id));
  beside.setAttribute("aria-pressed", String(state.compared.includes(take.id)));
  beside.disabled = isOpen;
  const acts = el("div", { className: "acts" }, beside,
    iconButton("edit", `Rename ${take.name}`, () => rename(take.id)),
    iconButton("delete", `Delete ${take.name}`, () => remove(take.id)));
  const name = el("button", { type: "button", className: "name", text: take.name, title: take.name, on: { click: () => { open(take.id); emit("view", "edit"); } } });
  if (isOpen) name.setAttribute("aria-current", "true");
  const facts = [clock(take.seconds, 0), take.bpm && `${Math.round(take.bpm)} bpm`, take.parent || take.task === "upload" ? deed(take).toLowerCase() : "", ago(take.created)];
  const classes = ["take", isOpen ? "open" : "", unseen.has(take.id) ? "fresh" : ""];
  const shape = el("canvas", { "data-take": take.id, "aria-hidden": "true" });
  waiting.observe(shape);
  return el("li", { className: classes.join(" "), "data-take": take.id }, name, shape, el("p", { className: "facts", text: facts.filter(Boolean).join(" · ") }), acts);
}

/** Waveforms are asked for when they come into sight. */
const waiting = new IntersectionObserver((seen) => {
  for (const { target, isIntersecting } of seen) {
    if (!isIntersecting) continue;
    waiting.unobserve(target);
    void shape(/** @type {HTMLCanvasElement} */ (target));
  }
});

async function shape(canvas) {
  const id = canvas.dataset.take;
  try {
    if (!shapes.has(id)) shapes.set(id, await peaksOf(id, POINTS));
  } catch {
    return;  // the picture is no loss; the list says what there is
  }
  drawShape(canvas, shapes.get(id), colour(id === state.current ? "accent" : "wave"));
}

/**
 * Draw a small waveform.
 * @param {HTMLCanvasElement} canvas
 * @param {{low: number[], high: number[]}} peaks
 * @param {string} fill
 */
export function drawShape(canvas, { low, high }, fill) {
  const { context, width, height } = fresh(canvas);
  const most = Math.max(0.05, ...high, ...low.map((value) => -value));
  context.fillStyle = fill;
  const step = width / high.length;
  high.forEach((top, i) => {
    const up = (top / most) * (height / 2 - 1), down = (-low[i] / most) * (height / 2 - 1);
    context.fillRect(i * step, height / 2 - up, Math.max(1, step - 0.6), Math.max(1, up + down));
  });
}

/** Make the buttons of one take the only stop of the Tab key in the list. @param {Element | null | undefined} chosen */
function stopAt(chosen) {
  for (const other of $("takes").children) {
    for (const button of other.querySelectorAll("button")) button.tabIndex = other === chosen ? 0 : -1;
  }
}

/** Move the focus to the same button of the take above or below. @param {KeyboardEvent} event */
function moved(event) {
  const from = /** @type {HTMLElement} */ (event.target).closest("li");
  const to = from && { ArrowUp: from.previousElementSibling, ArrowDown: from.nextElementSibling }[event.key];
  if (!to) return;
  event.preventDefault();
  focusIn(to, placeIn(from));
}

/** @param {Element} item @returns {number} which of its buttons has the focus */
const placeIn = (item) => [...item.querySelectorAll("button")].indexOf(/** @type {any} */ (document.activeElement));

/** Focus a button of a take, or its name where that button cannot be pressed. @param {Element | undefined} item @param {number} place */
function focusIn(item, place) {
  const same = item?.querySelectorAll("button")[place];
  (same && !same.disabled ? same : item?.querySelector("button"))?.focus();
}

function show() {
  if (state.current) unseen.delete(state.current);
  const inside = /** @type {HTMLElement | null | undefined} */ (document.activeElement?.closest?.("#takes li"));
  const at = inside ? [...$("takes").children].indexOf(inside) : -1, place = inside ? placeIn(inside) : 0;
  $("takes").replaceChildren(...state.takes.map(row));
  $("no-takes").hidden = state.takes.length > 0;
  stopAt($("takes").querySelector(".open") ?? $("takes").firstElementChild);
  if (!inside) return;
  // a new take comes before it, and where it was deleted its neighbour has its place
  const items = [...$("takes").children], same = items.find((item) => item.dataset.take === inside.dataset.take);
  focusIn(same ?? items[Math.min(at, items.length - 1)], same ? place : 0);
}

/** Mark a take as not yet opened. @param {string} id */
export function markFresh(id) {
  unseen.add(id);
}

export function start() {
  for (const name of ["takes", "current", "compared", "theme"]) on(name, show);
  $("takes").addEventListener("focusin", (event) => stopAt(/** @type {HTMLElement} */ (event.target).closest("li")));
  $("takes").addEventListener("keydown", moved);
  setInterval(show, 60_000);  // "5 min ago"
}
