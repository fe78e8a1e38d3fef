/** Several takes side by side: their waveforms under the open one, and which of them is heard. */

import { peaksOf } from "./api.js";
import { attempt } from "./connection.js";
import { $, colour, el, fresh, iconButton } from "./dom.js";
import * as player from "./player.js";
import { on, set, state, takeOf } from "./state.js";
import { timeAt, view, xOf } from "./stage.js";

const POINTS = 4_000, LETTERS = "ABCD";
/** @type {Map<string, {low: number[], high: number[]}>} */
const shapes = new Map();

const shown = () => [state.current, ...state.compared].filter((id) => takeOf(id));

/** @param {string} id @param {number} i */
function lane(id, i) {
  const take = takeOf(id);
  const canvas = el("canvas", { "data-take": id, role: "img", "aria-label": `Waveform of ${LETTERS[i]}: ${take.name}`, title: take.name });
  canvas.addEventListener("click", (event) => {
    player.hear(id);
    player.seek(timeAt(event.offsetX));
  });
  const close = iconButton("close", `Put ${take.name} away`, () => set({ compared: state.compared.filter((other) => other !== id) }));
  return el("div", { className: "lane" },
    el("span", { className: "gutter" }, close, el("b", { className: "letter", text: LETTERS[i] })), canvas);
}

function show() {
  const ids = shown(), several = ids.length > 1;
  $("compared").replaceChildren(...ids.slice(1).map((id, i) => lane(id, i + 1)));
  $("ab").hidden = !several;
  $("ab").replaceChildren(...(several ? ids : []).map((id, i) => el("label", { title: `${takeOf(id).name} (${i + 1})` },
    el("input", { type: "radio", name: "heard", value: id, checked: id === player.heardId(), "aria-label": `${LETTERS[i]}: ${takeOf(id).name}`, on: { change: () => player.hear(id) } }),
    el("span", { text: LETTERS[i], "aria-hidden": "true" }))));
  mark();
  for (const id of state.compared) void load(id);
}

async function load(id) {
  const peaks = shapes.get(id) ?? await attempt(() => peaksOf(id, POINTS));
  if (peaks) shapes.set(id, peaks);
  draw();
}

/** Show which take is heard. */
function mark() {
  const heard = player.heardId(), ids = shown();
  const letters = [document.querySelector(".lane.wave .letter"), ...document.querySelectorAll("#compared .letter")];
  letters.forEach((letter, i) => letter.classList.toggle("on", ids[i] === heard));
  letters[0].hidden = ids.length < 2;
  for (const radio of $("ab").querySelectorAll("input")) radio.checked = radio.value === heard;
}

function draw() {
  for (const canvas of $("compared").querySelectorAll("canvas")) {
    const id = canvas.dataset.take, peaks = shapes.get(id), take = takeOf(id);
    if (!peaks || !take) continue;
    const { context, width, height } = fresh(canvas);
    const points = peaks.high.length / take.seconds;
    const most = Math.max(0.05, ...[peaks.high, peaks.low].flatMap((side) => side.reduce((top, value) => Math.max(top, Math.abs(value)), 0)));
    context.fillStyle = colour(id === player.heardId() ? "played" : "wave");
    for (let x = Math.max(0, Math.floor(xOf(0))); x < Math.min(width, xOf(take.seconds)); x += 1) {
      const from = Math.floor(timeAt(x) * points), to = Math.max(from + 1, Math.floor(((x + 1 + view.left) / view.scale) * points));
      let top = 0, low = 0;
      for (let i = from; i < Math.min(to, peaks.high.length); i += 1) {
        top = Math.max(top, peaks.high[i]);
        low = Math.min(low, peaks.low[i]);
      }
      const half = height / 2 - 1;
      context.fillRect(x, height / 2 - (top / most) * half, 1, Math.max(1, ((top - low) / most) * half));
    }
  }
}

/** Hear the take with that number. @param {number} i from 0 */
export function hearNumber(i) {
  const id = shown()[i];
  if (id) player.hear(id);
}

export function start() {
  for (const name of ["compared", "current", "takes"]) on(name, show);
  on("heard", () => { mark(); draw(); });
  for (const name of ["view-changed", "theme"]) on(name, draw);
}
