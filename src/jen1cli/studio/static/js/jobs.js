/** What is being made: asked for, followed, shown with its progress, cancelled. */

import { call, follow } from "./api.js";
import { $, announce, el, iconButton } from "./dom.js";
import { emit, on, state } from "./state.js";

const KEPT = "jen1-jobs";
const OTHERS = 2_000;  // milliseconds between questions after jobs that wait
const ENDED = ["done", "failed", "cancelled"];

/**
 * @typedef {object} Entry
 * @property {string} id
 * @property {string} label
 * @property {object} body that was sent, to send it again
 * @property {(() => void) | null} stop ends following its events
 * @property {HTMLElement} node
 * @property {number} told the last quarter that was told to screen readers
 */
/** @type {Map<string, Entry>} */
const entries = new Map();
/** @type {number | undefined} */
let timer;

/**
 * Ask the server for music.
 * @param {object} body of the request
 * @param {string} label as the list of jobs shows it
 * @returns {Promise<void>} rejects with an `ApiError` where the server refuses
 */
export async function submit(body, label) {
  emit("working");
  const { id, place } = await call("/v1/jobs", { method: "POST", json: body });
  watch(id, label, body).scrollIntoView({ block: "nearest" });
  update(id, { state: "queued", place, step: 0, steps: 0 });
  announce(`${label}: started`);
}

/** @returns {HTMLElement} its place in the list */
function watch(id, label, body) {
  const cancel = iconButton("close", `Cancel ${label}`, () => end(id));
  const node = el("li", { className: "job" },
    el("div", { className: "top" }, el("span", { className: "name", text: label }), cancel),
    el("progress", { max: 1, "aria-label": `Progress of ${label}` }),
    el("p", { className: "state" }));
  $("jobs").append(node);
  const entry = { id, label, body, node, told: 0, stop: null };
  entries.set(id, entry);
  keep();
  listen();
  return node;
}

/**
 * Follow the job that comes first by its events, and ask after the others now and then: a browser
 * keeps six connections to a server, and sound and pictures need some of them.
 */
function listen() {
  const open = [...entries.values()].filter(({ node }) => !ENDED.includes(node.dataset.state ?? ""));
  const [first, ...others] = open;
  if (first && !first.stop) {
    first.stop = follow(first.id, (job) => update(first.id, job), () => lost(first.id));
  }
  clearTimeout(timer);
  if (others.length) timer = setTimeout(() => askAfter(others), OTHERS);
}

/** @param {Entry[]} others */
async function askAfter(others) {
  for (const { id } of others) {
    try {
      update(id, await call(`/v1/jobs/${encodeURIComponent(id)}`));
    } catch (error) {
      if (error.status === 404) lost(id);
    }
  }
  listen();
}

/** The x of a job: cancel it, or put a job that has ended away. */
async function end(id) {
  const entry = entries.get(id);
  if (!entry) return;
  if (ENDED.includes(entry.node.dataset.state ?? "")) return remove(id);
  say(entry, "Stopping …");
  entry.node.querySelector("button").disabled = true;
  try {
    // it stops at its next step, or is done already; the events say which
    const job = await call(`/v1/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
    if (ENDED.includes(job.state)) update(id, job);
  } catch (error) {
    if (error.status === 404) lost(id);
    else if (error.code !== "offline") emit("problem", error);
  }
}

/** @param {string} id @param {any} job the server's words for it */
function update(id, job) {
  const entry = entries.get(id);
  if (!entry || ENDED.includes(entry.node.dataset.state ?? "")) return;
  entry.node.dataset.state = job.state;
  const bar = entry.node.querySelector("progress");
  if (job.state === "queued") {
    say(entry, job.place > 0 ? `Waiting, number ${job.place} in the queue` : "Waiting");
  } else if (job.state === "running") {
    const part = job.steps ? job.step / job.steps : 0;
    if (bar && job.steps) bar.value = part;
    say(entry, words(job));
    const quarter = Math.floor(part * 4);
    if (quarter > entry.told) announce(`${entry.label}: ${Math.round(part * 100)} percent`);
    entry.told = Math.max(quarter, entry.told);
  } else if (job.state === "done") {
    announce(`${entry.label}: done`);
    remove(id);
    emit("made", { id: job.take, body: entry.body });
    if (job.warnings?.length) emit("note", job.warnings.join(" "));
  } else if (job.state === "cancelled") {
    announce(`${entry.label}: cancelled`);
    remove(id);
  } else {
    failed(entry, job.error?.message ?? "It could not be made.");
  }
  emit("jobs");
}

/** The server's `steps` are those of all windows together. */
function words({ step, steps, window, windows }) {
  if (!steps) return "Writing the score";
  if (step >= steps) return "Finishing the sound";
  return windows > 1 ? `Part ${window} of ${windows}, step ${step} of ${steps}` : `Step ${step} of ${steps}`;
}

function say(entry, text) {
  entry.node.querySelector(".state").textContent = text;
}

function failed(entry, message) {
  entry.node.dataset.state = "failed";
  entry.node.querySelector("progress")?.remove();
  entry.node.querySelector(".top button")?.setAttribute("aria-label", `Put ${entry.label} away`);
  entry.stop?.();
  say(entry, message);
  entry.node.append(el("button", { type: "button", className: "small", text: "Try again", on: { click: () => retry(entry) } }));
  announce(`${entry.label}: ${message}`);
}

async function retry(entry) {
  remove(entry.id);
  try {
    await submit(entry.body, entry.label);
  } catch (error) {
    emit("problem", error);
  }
}

/** The server does not know the job: it was started anew, or the job is long done. */
function lost(id) {
  const entry = entries.get(id);
  if (entry) failed(entry, "The server was started again, and this was not finished.");
  keep();
  emit("jobs");
}

function remove(id) {
  const entry = entries.get(id);
  entry?.stop?.();
  entry?.node.remove();
  entries.delete(id);
  keep();
  listen();
  emit("jobs");
}

/** Remember the jobs over a reload of the page. */
function keep() {
  const open = [...entries.values()].filter(({ node }) => node.dataset.state !== "failed");
  sessionStorage.setItem(KEPT, JSON.stringify(open.map(({ id, label, body }) => ({ id, label, body }))));
}

export function start() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
  for (const { id, label, body } of kept) watch(id, label, body);
  on("server", () => {
    if (state.server !== "up") return;
    // a connection that the browser gave up is made anew
    for (const entry of entries.values()) {
      entry.stop?.();
      entry.stop = null;
    }
    listen();
  });
}
