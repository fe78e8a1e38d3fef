/**
 * Plays the open take and those compared with it, one at a time and at the same place.
 *
 * The sound comes from media elements, which fetch it by ranges: nothing is decoded as a whole.
 */

import { takePath } from "./api.js";
import { $, announce, clock } from "./dom.js";
import { current, emit, on, rootOf, state, takeOf } from "./state.js";

/** @type {Map<string, HTMLAudioElement>} */
const elements = new Map();
let heard = "";  // id of the take that sounds
let looping = false;

/** @param {string} id @returns {HTMLAudioElement} */
function elementOf(id) {
  let audio = elements.get(id);
  if (!audio) {
    audio = new Audio(takePath(id, "audio"));
    audio.preload = "auto";
    audio.volume = Number($("volume").value);
    for (const name of ["play", "pause", "ended", "seeked", "loadedmetadata"]) audio.addEventListener(name, refresh);
    audio.addEventListener("timeupdate", watch);
    audio.addEventListener("error", () => {
      if (elements.get(id) === audio && heard === id) emit("problem", { message: "The sound of this take cannot be loaded." });
    });
    elements.set(id, audio);
  }
  return audio;
}

const active = () => elements.get(heard);

export const isPlaying = () => Boolean(active() && !active().paused);
export const isLooping = () => looping;
export const heardId = () => heard;
export const time = () => active()?.currentTime ?? 0;
export const length = () => takeOf(heard)?.seconds ?? 0;

export async function play() {
  const audio = active();
  if (!audio) return;
  if (audio.currentTime >= length() - 0.02) seek(range().start);
  try {
    await audio.play();
  } catch (error) {
    // a click on pause interrupts it, which is no fault
    if (error.name !== "AbortError") emit("problem", { message: "The browser cannot play this take now." });
  }
}

export const pause = () => active()?.pause();
export const toggle = () => (isPlaying() ? pause() : play());

/** @param {number} seconds */
export function seek(seconds) {
  const audio = active();
  if (audio) audio.currentTime = Math.min(Math.max(0, seconds), length());
  refresh();
}

/** @param {boolean} [on] */
export function setLoop(on = !looping) {
  looping = on;
  $("loop").setAttribute("aria-pressed", String(looping));
}

/** Play the selection round and round. */
export function loopSelection() {
  if (!state.selection) return;
  setLoop(true);
  seek(state.selection.start);
  void play();
}

/** What a loop goes round: the selection, or all. */
function range() {
  const { selection } = state;
  return looping && selection && selection.start < length() ? selection : { start: 0, end: length() };
}

/** Go back to the start where a loop ends. */
function watch() {
  const audio = active();
  if (!audio || !looping || audio.paused) return;
  const { start, end } = range();
  if (audio.currentTime >= Math.min(end, length()) - 0.01) audio.currentTime = start;
}

/** Hear another of the takes on the stage, at the same place. @param {string} id */
export function hear(id) {
  if (id === heard || !takeOf(id)) return;
  const before = active(), playing = isPlaying(), at = time();
  heard = id;
  const audio = elementOf(id);
  audio.currentTime = Math.min(at, Math.max(0, length() - 0.05));
  if (playing) void audio.play().catch(() => undefined);
  before?.pause();
  emit("heard", id);
  refresh();
}

/** Hear the next of the takes on the stage. */
export function hearNext() {
  const ids = [state.current, ...state.compared].filter(Boolean);
  if (ids.length < 2) return;
  const next = (ids.indexOf(heard) + 1) % ids.length;
  hear(/** @type {string} */ (ids[next]));
  announce(`Now hearing ${"ABCD"[next]}`);
}

function refresh() {
  const audio = active();
  if (audio?.ended && looping) {
    audio.currentTime = range().start;
    void audio.play();
  }
  const playing = isPlaying();
  const button = $("play");
  button.setAttribute("aria-label", playing ? "Pause" : "Play");
  button.querySelector("use")?.setAttribute("href", playing ? "#i-pause" : "#i-play");
  for (const id of ["play", "to-start", "loop"]) $(id).disabled = !audio;
  $("length").textContent = `/ ${clock(length(), 0)}`;
  $("playing").textContent = takeOf(heard)?.name ?? "";
  tick();
}

function tick() {
  $("now").textContent = clock(time());
  emit("time", time());
}

function frame() {
  if (isPlaying()) {
    watch();
    tick();
  }
  requestAnimationFrame(frame);
}

/** Keep the elements of the takes on the stage, and no others. */
function settle() {
  const wanted = [state.current, ...state.compared];
  for (const [id, audio] of elements) {
    if (wanted.includes(id) || id === heard) continue;
    elements.delete(id);
    audio.pause();
    audio.removeAttribute("src");
    audio.load();
  }
}

export function start() {
  on("current", (id) => {
    const take = current();
    if (!take) {
      pause();
      heard = "";
    } else {
      const other = rootOf(heard) !== rootOf(id);
      hear(id);
      if (other) seek(0);  // the same place means nothing in other music
    }
    settle();
    refresh();
  });
  on("compared", () => {
    state.compared.forEach(elementOf);
    if (state.current && !state.compared.includes(heard)) hear(state.current);
    settle();
  });
  on("takes", refresh);
  $("play").addEventListener("click", toggle);
  $("to-start").addEventListener("click", () => seek(0));
  $("loop").addEventListener("click", () => setLoop());
  $("volume").addEventListener("input", () => {
    for (const audio of elements.values()) audio.volume = Number($("volume").value);
  });
  refresh();
  requestAnimationFrame(frame);
}
