/** The lanes under the waveform: ruler, spectrogram, chords, drums and melody of what is in sight. */

import { takePath } from "./api.js";
import { $, clock, colour, el, fresh } from "./dom.js";
import { DRUMS, barAt } from "./music.js";
import * as player from "./player.js";
import { edit } from "./sheet.js";
import { on, state } from "./state.js";
import { timeAt, view, xOf } from "./stage.js";

const SPECTRUM = { width: 2_000, height: 128 };
const ROW = 13;  // pixels of a drum
/** @type {HTMLImageElement | null} */
let spectrum = null;

/** Bars in sight with their places. @returns {{index: number, from: number, to: number}[]} */
function barsInSight() {
  const { sheet } = edit;
  if (!sheet) return [];
  const first = Math.max(0, barAt(sheet, timeAt(0))), last = barAt(sheet, timeAt(view.width));
  const found = [];
  for (let index = first; index <= Math.min(last, sheet.bars.length - 1); index += 1) {
    found.push({ index, from: xOf(sheet.starts[index]), to: Math.min(xOf(sheet.starts[index + 1]), xOf(view.seconds)) });
  }
  return found;
}

/** The parts that the take's own edit made, in seconds. @returns {[number, number][]} */
function newParts() {
  const { recipe } = edit;
  if (!recipe?.input) return [];
  if (recipe.masks?.length) return recipe.masks;
  return [recipe.before ? [0, recipe.seconds] : [view.seconds - recipe.seconds, view.seconds]];
}

function drawRuler() {
  const { context, width, height } = fresh($("ruler"));
  context.fillStyle = colour("accent");
  for (const [from, to] of newParts()) context.fillRect(xOf(from), height - 2, (to - from) * view.scale, 2);
  context.font = "10px system-ui, sans-serif";
  context.fillStyle = context.strokeStyle = colour("quiet");
  const bars = barsInSight();
  const every = [1, 2, 4, 8, 16, 32, 64, 128].find((n) => bars.length * 34 / n < width) ?? 256;
  let free = 0;  // where the next label may begin
  for (const { index, from } of bars) {
    if (index % every) continue;
    context.globalAlpha = 0.6;
    context.fillRect(from, height - 6, 1, 6);
    context.globalAlpha = 1;
    if (from < free) continue;
    context.fillText(String(index + 1), from + 4, height - 6);
    free = from + 26;
  }
  if (bars.length) return;
  const step = [1, 2, 5, 10, 30, 60, 120, 300].find((n) => n * view.scale > 60) ?? 600;
  for (let t = Math.ceil(timeAt(0) / step) * step; t < timeAt(width); t += step) {
    context.fillRect(xOf(t), height - 6, 1, 6);
    context.fillText(clock(t, 0), xOf(t) + 4, height - 6);
  }
}

function drawSpectrum() {
  const { context, width, height } = fresh($("spectrum"));
  if (!spectrum?.complete || !spectrum.naturalWidth) return;
  const pixels = spectrum.naturalWidth / view.seconds;
  const from = timeAt(0), to = timeAt(width);
  context.drawImage(spectrum, from * pixels, 0, Math.max(1, (to - from) * pixels), spectrum.naturalHeight, xOf(from), 0, (to - from) * view.scale, height);
}

/** Lines at bars and beats, behind notes and strokes. */
function grid(context, height) {
  const { sheet } = edit;
  if (!sheet) return;
  const beats = sheet.steps / sheet.beat;
  for (const { index, from, to } of barsInSight()) {
    context.fillStyle = colour("line");
    context.fillRect(from, 0, 1, height);
    const whole = xOf(sheet.starts[index + 1]) - from;
    context.globalAlpha = 0.45;
    if (whole > 40) for (let beat = 1; beat < beats && from + (beat / beats) * whole < to; beat += 1) context.fillRect(from + (beat / beats) * whole, 0, 1, height);
    context.globalAlpha = 1;
  }
}

function drawDrums() {
  const canvas = $("drum-track");
  const { context, height } = fresh(canvas);
  grid(context, height);
  const { sheet, original } = edit;
  for (const { index, from } of barsInSight()) {
    const step = ((xOf(sheet.starts[index] + edit.barSeconds) - from) || 1) / sheet.steps;
    DRUMS.forEach((name, row) => {
      const marks = sheet.bars[index].drums[name], before = original.bars[index].drums[name];
      for (let i = 0; i < marks.length; i += 1) {
        if (marks[i] !== "x" && before[i] !== "x") continue;
        const changed = marks[i] !== before[i];
        context.fillStyle = colour(changed ? "accent" : "stroke");
        context.globalAlpha = marks[i] === "x" ? 1 : 0.35;
        const size = Math.max(1.5, Math.min(step - 1.5, 9));
        context.beginPath();
        context.roundRect(from + i * step + 1, row * ROW + 2.5, size, ROW - 5, 2);
        context.fill();
      }
      context.globalAlpha = 1;
    });
  }
}

function drawMelody() {
  const { context, height } = fresh($("melody-track"));
  grid(context, height);
  const { sheet, original } = edit;
  if (!sheet) return;
  const pitches = sheet.bars.flatMap((bar) => bar.melody.filter((cell) => typeof cell === "number"));
  if (!pitches.length) return;
  const low = Math.min(...new Set(pitches)) - 2, high = Math.max(...new Set(pitches)) + 2;
  const yOf = (pitch) => ((high - pitch) / (high - low)) * (height - 6) + 1;
  for (const { index, from } of barsInSight()) {
    const step = (xOf(sheet.starts[index] + edit.barSeconds) - from) / sheet.steps;
    const cells = sheet.bars[index].melody;
    const changed = cells.some((cell, i) => cell !== original.bars[index].melody[i]);
    context.fillStyle = colour(changed ? "accent" : "note");
    let pitch = null;
    cells.forEach((cell, i) => {
      if (cell === ".") pitch = null;
      if (typeof cell === "number") pitch = cell;
      if (pitch === null) return;
      const held = cell === "-" ? 1 : 0;
      context.fillRect(from + i * step + 1 - held, yOf(pitch), step - 1 + held, 5);
    });
  }
}

function drawChords() {
  const track = $("chord-track"), focused = track.contains(document.activeElement) && document.activeElement?.dataset.bar;
  if (track.querySelector("input")) return;  // a chord is being written
  const bars = barsInSight();
  const every = [1, 2, 4, 8, 16, 32, 64].find((n) => bars.length * 26 / n < view.width) ?? 128;
  track.replaceChildren(...bars.filter(({ index }) => index % every === 0).map(({ index, from, to }) => {
    const chords = edit.sheet.bars[index].chords || "–";
    const names = ["changed", "open"].filter((_, i) => [edit.changed(index), edit.open === index][i]);
    const button = el("button", {
      type: "button", className: names.join(" "), text: chords.split(" ").filter((name, i, all) => name !== all[i - 1]).join(" "),
      "data-bar": index, title: `Bar ${index + 1}: ${chords}`, "aria-label": `Bar ${index + 1}, ${chords}. Change it.`,
      on: { click: () => edit.openBar(index) },
    });
    button.style.left = `${from + 1}px`;
    button.style.width = `${Math.max(4, (every === 1 ? to : from + (to - from) * every) - from - 2)}px`;
    return button;
  }));
  if (focused) track.querySelector(`[data-bar="${focused}"]`)?.focus();
}

export function draw() {
  if (!view.seconds || !view.width) return;
  drawRuler();
  drawSpectrum();
  for (const part of [$("score"), $("hint-score"), $("snap").parentElement]) part.hidden = !edit.sheet;
  if (!edit.sheet) return;
  drawChords();
  drawDrums();
  drawMelody();
}

/** Change the step under a click, or open the bar of a note. */
function clicked(event, isDrums) {
  const { sheet } = edit;
  if (!sheet) return;
  const seconds = timeAt(event.offsetX), index = barAt(sheet, seconds);
  if (index < 0 || index >= sheet.bars.length) return;
  const step = Math.floor(((seconds - sheet.starts[index]) / edit.barSeconds) * sheet.steps);
  const name = DRUMS[Math.floor(event.offsetY / ROW)];
  const wide = (edit.barSeconds / sheet.steps) * view.scale >= 5;  // else a step cannot be hit
  if (!isDrums || !name || !wide) {
    edit.openBar(index);
    return;
  }
  const marks = [...sheet.bars[index].drums[name]];
  marks[step] = marks[step] === "x" ? "." : "x";
  edit.setDrums(index, name, marks.join(""));
}

function loadSpectrum() {
  spectrum = null;
  const { current: id } = state;
  if (!id) return;
  const image = new Image();
  image.addEventListener("load", () => {
    if (state.current !== id) return;
    spectrum = image;
    drawSpectrum();
  });
  image.src = takePath(id, `spectrogram?width=${SPECTRUM.width}&height=${SPECTRUM.height}`);
}

export function start() {
  let asked = false;
  const later = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
  for (const name of ["view-changed", "sheet", "theme"]) on(name, later);
  on("drawn", loadSpectrum);
  $("drum-track").addEventListener("click", (event) => clicked(event, true));
  $("melody-track").addEventListener("click", (event) => clicked(event, false));
  for (const id of ["ruler", "spectrum"]) $(id).addEventListener("click", (event) => player.seek(timeAt(event.offsetX)));
}
