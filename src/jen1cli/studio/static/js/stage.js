/**
 * The axis of time, the waveform and the selection on it.
 *
 * wavesurfer.js draws the waveform from the server's peaks, scrolls, and has the range that is
 * dragged; it plays nothing. All other lanes follow `view`.
 */

import RegionsPlugin from "../vendor/wavesurfer/regions.esm.js";
import WaveSurfer from "../vendor/wavesurfer/wavesurfer.esm.js";
import { PEAKS, peaksOf } from "./api.js";
import { attempt } from "./connection.js";
import { $, clock, colour } from "./dom.js";
import * as player from "./player.js";
import { current, emit, on, set, state } from "./state.js";

const LEAST = 0.05;  // seconds of a selection
const MOST_ZOOM = 400;  // pixels of a second

/** @type {{seconds: number, scale: number, left: number, width: number}} scale in pixels of a second */
export const view = { seconds: 0, scale: 1, left: 0, width: 0 };
/** @param {number} seconds @returns {number} pixels from the left end of the lanes */
export const xOf = (seconds) => seconds * view.scale - view.left;
/** @param {number} x @returns {number} */
export const timeAt = (x) => Math.min(view.seconds, Math.max(0, (x + view.left) / view.scale));

/** @type {any} */
let wave;
/** @type {any} */
let regions;
/** @type {any} the region on the waveform that shows the selection */
let region = null;
let isPlacing = false;
/** @type {(seconds: number) => number} */
let snapped = (seconds) => seconds;

/** Say how times of a drag are moved to beats or bars. @param {(seconds: number) => number} snap */
export function setSnap(snap) {
  snapped = snap;
}

function measure() {
  if (!wave) return;
  view.width = $("waveform").clientWidth;
  view.scale = Math.max(1, wave.getWrapper().clientWidth) / Math.max(0.01, view.seconds);
  view.left = wave.getScroll();
  drawn();
}

function drawn() {
  emit("view-changed");
  shade();
  cursor();
}

function cursor() {
  const x = xOf(player.time()), line = $("cursor");
  line.hidden = x < 0 || x > view.width;
  line.style.transform = `translateX(${x}px)`;
}

/** Shade the selection over all lanes. */
function shade() {
  const { selection } = state, node = $("shade");
  const from = selection ? Math.max(0, xOf(selection.start)) : 0;
  const to = selection ? Math.min(view.width, xOf(selection.end)) : 0;
  node.hidden = to <= from;
  node.style.transform = `translateX(${from}px)`;
  node.style.width = `${to - from}px`;
}

/** @param {import("./state.js").Range | null} range */
export function select(range) {
  if (!range) {
    set({ selection: null });
    return;
  }
  const start = Math.max(0, Math.min(range.start, view.seconds - LEAST));
  const end = Math.min(view.seconds, Math.max(range.end, start + LEAST));
  set({ selection: { start: Math.round(start * 1000) / 1000, end: Math.round(end * 1000) / 1000 } });
}

/** Show the selection that the state has as a region of wavesurfer. */
function showSelection() {
  const { selection } = state;
  if (!selection) {
    region = null;
    regions.clearRegions();
  } else if (region) {
    region.setOptions(selection);
  } else {
    isPlacing = true;  // it says "created" before it returns
    region = regions.addRegion({ ...selection, color: "transparent", minLength: LEAST });
    isPlacing = false;
  }
  shade();
}

function dragged(changed) {
  const edges = { start: snapped(changed.start), end: snapped(changed.end) };
  select(edges.end - edges.start >= LEAST ? edges : { start: changed.start, end: changed.end });
  if (region && state.selection) region.setOptions(state.selection);
  emit("range-dragged");
}

function listen() {
  regions.enableDragSelection({ color: "transparent", minLength: LEAST });
  regions.on("region-created", (made) => {
    if (isPlacing) return;
    for (const other of regions.getRegions()) if (other !== made) other.remove();
    region = made;
    dragged(made);
  });
  regions.on("region-update", (made) => {
    if (made === region || !region) set({ selection: { start: made.start, end: made.end } });
  });
  regions.on("region-updated", dragged);
  wave.on("interaction", (/** @type {number} */ seconds) => player.seek(seconds));
  for (const name of ["scroll", "zoom", "redraw", "resize"]) wave.on(name, measure);
}

/** @param {number} factor above 1 to zoom in; 0 shows all */
export function zoom(factor) {
  const all = view.width / Math.max(0.01, view.seconds);
  const scale = factor ? Math.min(MOST_ZOOM, Math.max(all, view.scale * factor)) : all;
  const middle = state.selection ? (state.selection.start + state.selection.end) / 2 : player.time();
  wave.zoom(factor && scale > all * 1.01 ? scale : 0);
  wave.setScroll(Math.max(0, middle * scale - view.width / 2));
  measure();
}

/** Keep the cursor in sight while it plays. */
function follow() {
  const x = xOf(player.time());
  if (player.isPlaying() && (x < 0 || x > view.width * 0.95)) wave.setScroll(player.time() * view.scale - view.width * 0.05);
  if (view.seconds) wave.setTime(Math.min(player.time(), view.seconds));
  cursor();
  const slider = $("waveform");
  slider.setAttribute("aria-valuenow", player.time().toFixed(1));
  slider.setAttribute("aria-valuetext", `${clock(player.time())} of ${clock(view.seconds)}`);
}

function paint() {
  wave.setOptions({ waveColor: colour("wave"), progressColor: colour("played") });
  drawn();
}

/** Draw the open take. */
async function load() {
  const take = current();
  if (!take) return;
  select(null);
  view.seconds = take.seconds;
  $("waveform").setAttribute("aria-valuemax", take.seconds.toFixed(1));
  const peaks = await attempt(() => peaksOf(take.id, PEAKS(take.seconds)));
  if (!peaks || state.current !== take.id) return;
  wave.setOptions({ minPxPerSec: 0 });
  await wave.load("", [peaks.high, peaks.low], take.seconds).catch((/** @type {Error} */ error) => {
    if (error.name !== "AbortError") throw error;  // another take was opened meanwhile
  });
  measure();
  emit("drawn", take.id);
}

export function start() {
  wave = WaveSurfer.create({
    container: $("waveform"), height: 112, normalize: true, cursorWidth: 0, hideScrollbar: false, autoScroll: false,
    waveColor: colour("wave"), progressColor: colour("played"), dragToSeek: false,
    cspNonce: /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="csp-nonce"]')).content,
  });
  regions = wave.registerPlugin(RegionsPlugin.create());
  listen();
  on("current", load);
  on("selection", showSelection);
  on("time", follow);
  on("theme", paint);
  new ResizeObserver(measure).observe($("waveform"));
  $("stage").addEventListener("wheel", (event) => {
    if (event.ctrlKey) {
      event.preventDefault();
      zoom(event.deltaY < 0 ? 1.25 : 0.8);
    } else if (event.deltaX || event.shiftKey) {
      wave.setScroll(wave.getScroll() + (event.deltaX || event.deltaY));
    }
  }, { passive: false });
  $("zoom-in").addEventListener("click", () => zoom(1.6));
  $("zoom-out").addEventListener("click", () => zoom(1 / 1.6));
  $("zoom-fit").addEventListener("click", () => zoom(0));
}
