/** Whether the server is there: the light in the bar above, the banner, and trying again. */

import { call } from "./api.js";
import { $, announce } from "./dom.js";
import { emit, on, set, state } from "./state.js";

const CALM = 10_000, WAITS = [1_000, 2_000, 4_000, 8_000];  // milliseconds
let failures = 0;
/** @type {number | undefined} */
let timer;

function later(wait) {
  clearTimeout(timer);
  timer = setTimeout(check, wait);
}

async function check() {
  clearTimeout(timer);
  try {
    const health = await call("/health");
    const back = state.server === "down";
    failures = 0;
    show(health);
    set({ server: "up" });
    if (back) announce("The server is back.");
    later(CALM);
  } catch (error) {
    if (error.code !== "offline") {
      show({ model: error.message });
      later(CALM);
      return;
    }
    const wait = WAITS[Math.min(failures, WAITS.length - 1)];
    failures += 1;
    lost(wait);
    later(wait);
  }
}

function lost(wait) {
  set({ server: "down" });
  $("offline").querySelector("p").textContent =
    `The server does not answer. Your takes are safe in its folder. Trying again in ${wait / 1000} s; if it was stopped, start "jen1 studio" again.`;
  $("server").querySelector("span").textContent = "No connection";
}

/** @param {{model: string, device?: string}} health */
function show({ model, device }) {
  $("server").querySelector("span").textContent = [model, device].filter(Boolean).join(" · ") || "Ready";
}

/** The light: grey, green, amber at work, red. */
function light() {
  const busy = $("jobs").querySelector('[data-state="running"]');
  $("server").dataset.state = state.server === "up" && busy ? "busy" : state.server;
  $("offline").hidden = state.server !== "down";
}

export function start() {
  on("server", light);
  on("jobs", light);
  on("offline", () => {
    if (state.server !== "down") void check();
  });
  $("offline").querySelector("button").addEventListener("click", check);
  addEventListener("online", check);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void check();
  });
  return check();
}

/** Show a message until it is closed. @param {string} text @param {boolean} isBad */
function tell(text, isBad) {
  $("problem").classList.toggle("bad", isBad);
  $("problem").querySelector("p").textContent = text;
  $("problem").hidden = false;
}

export function startProblems() {
  on("problem", (/** @type {{message: string}} */ error) => tell(error.message, true));
  on("note", (/** @type {string} */ text) => tell(text, false));
  on("working", () => { $("problem").hidden = true; });
  $("problem").querySelector("button").addEventListener("click", () => { $("problem").hidden = true; });
}

/** Show why something failed, unless the banner says already that there is no server. @param {any} error */
export async function report(error) {
  if (error.code !== "offline") {
    emit("problem", error);
    return;
  }
  await check();
  if (state.server === "up") emit("problem", new Error("The connection broke off before the server had answered. Try again."));
}

/**
 * Run something that asks the server; a failure is shown, unless the banner says it already.
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T | undefined>}
 */
export async function attempt(task) {
  try {
    return await task();
  } catch (error) {
    await report(error);
    return undefined;
  }
}
