/** The form that asks for new music. */

import { report } from "./connection.js";
import { $, el } from "./dom.js";
import { submit } from "./jobs.js";
import { MODES, SIXTEENTHS, TONICS } from "./music.js";
import { part } from "./part.js";
import { emit, on } from "./state.js";

const IDEAS = ["lofi piano", "warm jazz trio, brushed drums", "synthwave, driving", "celtic folk", "deep house",
  "solo classical guitar", "12 bar blues in E", "music box, slow"];
const NUMBERS = ["audio_length", "bpm", "seed", "guidance_scale", "num_inference_steps"];
const KEPT = "jen1-form";
const TEXTS = ["input", "chords", "style", "negative_prompt"];

/** @type {HTMLFormElement} */
let form;
let drums, melody;

const key = () => ($("tonic").value ? `${$("tonic").value} ${$("mode").value}` : "");
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

/** @returns {Record<string, any>} the request without what is left open */
function request() {
  const body = { task: "generate" };
  for (const name of TEXTS) if (field(name).value.trim()) body[name] = field(name).value.trim();
  for (const name of NUMBERS) if (field(name).value !== "") body[name] = Number(field(name).value);
  // a grid of one's own is in some metre, and 4/4 is what it shows
  const metre = $("metre").value || (drums.isOwn() || melody.isOwn() ? "4/4" : "");
  const others = { key: key(), metre, drums: drums.text(), melody: melody.text() };
  for (const [name, text] of Object.entries(others)) if (text) body[name] = text;
  return body;
}

/** Mark the field that an error names. @param {string | null} name */
function mark(name) {
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  const input = name && field(name);
  if (!input || !("focus" in input)) return;
  input.setAttribute("aria-invalid", "true");
  input.closest("details")?.setAttribute("open", "");
  input.focus();
}

/** @returns {{name: string, message: string} | null} what the browser itself can tell is wrong */
function fault() {
  if (!field("input").value.trim()) return { name: "input", message: "Describe the music first: a style, instruments, a mood." };
  for (const name of NUMBERS) {
    const input = field(name);
    if (!input.checkValidity()) {
      const label = input.closest(".field")?.querySelector("span")?.firstChild?.textContent?.trim() ?? name;
      return { name, message: `${label}: ${input.validationMessage}` };
    }
  }
  return null;
}

/** What was written stays when the page is loaded again, in this tab. */
const kept = () => [...TEXTS, ...NUMBERS, "key", "mode", "metre"].map((name) => [name, field(name)]);

function keep() {
  sessionStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(kept().map(([name, input]) => [name, input.value]))));
}

function restore() {
  const values = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  for (const [name, input] of kept()) if (name in values) input.value = values[name];
}

async function make() {
  const wrong = fault();
  mark(wrong?.name ?? null);
  if (wrong) {
    emit("problem", wrong);
    return;
  }
  keep();
  const body = request(), count = Number($("count").value);
  try {
    for (let i = 0; i < count; i += 1) {
      const one = body.seed === undefined ? body : { ...body, seed: body.seed + i };
      await submit(one, count > 1 ? `${body.input} (${i + 1} of ${count})` : body.input);
    }
  } catch (error) {
    mark(error.param);
    await report(error);
  }
}

/** Fill the form with a take's settings. @param {any} recipe @param {import("./music.js").Sheet | null} sheet */
export function fill(recipe, sheet) {
  const guide = recipe.guide ?? {};
  const values = {
    input: recipe.prompt, audio_length: recipe.seconds, seed: recipe.seed, bpm: guide.bpm, chords: guide.chords,
    style: recipe.style, negative_prompt: recipe.negative_prompt, guidance_scale: recipe.guidance_scale, num_inference_steps: recipe.steps,
  };
  for (const [name, value] of Object.entries(values)) field(name).value = value || value === 0 ? String(value) : "";
  const tonic = TONICS.find((name) => name === guide.key) ?? { "A#": "Bb", "D#": "Eb", "G#": "Ab" }[guide.key] ?? "";
  $("tonic").value = tonic;
  if (guide.mode in MODES) $("mode").value = guide.mode;
  $("metre").value = guide.meter in SIXTEENTHS ? guide.meter : "";
  const bars = sheet?.bars;
  const struck = bars?.some((bar) => Object.values(bar.drums).some((row) => row.includes("x")));
  const sung = bars?.some((bar) => bar.melody.some((cell) => typeof cell === "number"));
  drums.setBars(struck ? bars : null);
  melody.setBars(sung ? bars : null);
  keySet();
  emit("view", "make");
  field("input").focus();
}

/** What key and metre mean for the grids. */
function keySet() {
  $("mode").disabled = !$("tonic").value;
  drums.redraw();
  melody.redraw();
}

export function start() {
  form = $("compose");
  $("tonic").append(el("option", { value: "", text: "auto" }), ...TONICS.map((name) => el("option", { value: name, text: name })));
  $("mode").append(...Object.keys(MODES).map((name) => el("option", { value: name, text: name })));
  $("metre").append(el("option", { value: "", text: "auto" }), ...Object.keys(SIXTEENTHS).map((name) => el("option", { value: name, text: name })));
  const chosen = () => ({ key: key(), metre: $("metre").value });
  restore();
  drums = part($("drums-part"), "drums", chosen);
  melody = part($("melody-part"), "melody", chosen);
  keySet();
  for (const id of ["tonic", "mode", "metre"]) $(id).addEventListener("change", keySet);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void make();
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener("input", (event) => {
    /** @type {HTMLElement} */ (event.target).removeAttribute("aria-invalid");
    keep();
  });
  $("ideas").append(...IDEAS.map((text) => el("li", {}, el("button", {
    type: "button", text, on: { click: () => { field("input").value = text; void make(); } },
  }))));
  on("server", (server) => { $("make").disabled = server === "down"; });
}
