/** The server's HTTP interface. Every failure is an `ApiError` whose message can be shown. */

import { emit } from "./state.js";

/** An answer that is no success, or none at all (`code` "offline"). */
export class ApiError extends Error {
  /** @param {string} message @param {string} code @param {string | null} param @param {number} status */
  constructor(message, code, param, status) {
    super(message);
    this.code = code;
    this.param = param;
    this.status = status;
  }
}

/** @param {Response} answer @returns {Promise<ApiError>} */
async function failure(answer) {
  const body = await answer.json().catch(() => null);
  const error = body?.error ?? {};
  const message = error.message ?? `The server answered with ${answer.status} ${answer.statusText}.`;
  return new ApiError(message, error.code ?? "", error.param ?? null, answer.status);
}

/**
 * @param {string} path
 * @param {RequestInit & {json?: object}} [options]
 * @returns {Promise<Response>}
 */
async function request(path, { json, ...options } = {}) {
  if (json) {
    options.body = JSON.stringify(json);
    options.headers = { "Content-Type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(path, { ...options, credentials: "same-origin" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    emit("offline");
    throw new ApiError("The server does not answer.", "offline", null, 0);
  }
  if (!answer.ok) throw await failure(answer);
  return answer;
}

/** @param {string} path @param {RequestInit & {json?: object}} [options] @returns {Promise<any>} */
export async function call(path, options) {
  const answer = await request(path, options);
  return answer.status === 204 ? null : answer.json();
}

/** @param {string} id @param {string} [what] @returns {string} address of a take or of a part of it */
export const takePath = (id, what = "") => `/v1/takes/${encodeURIComponent(id)}${what && `/${what}`}`;

/**
 * Addresses of what can be downloaded.
 * @param {string} id
 * @returns {{label: string, extension: string, path: string}[]}
 */
export const downloadsOf = (id) => [
  ...["wav", "flac", "mp3"].map((format) => ({
    label: format.toUpperCase(), extension: format, path: takePath(id, `audio?format=${format}`),
  })),
  { label: "MIDI", extension: "mid", path: takePath(id, "midi") },
  { label: "Recipe", extension: "json", path: takePath(id, "recipe") },
];

/** Points of a waveform: enough to zoom into, and few enough to draw at once. */
export const PEAKS = (/** @type {number} */ seconds) => Math.round(Math.min(20_000, Math.max(2_000, seconds * 40)));

/**
 * The lowest and the highest sample of each piece of the waveform, over all channels.
 * @param {string} id
 * @param {number} width
 * @returns {Promise<{low: number[], high: number[]}>}
 */
export async function peaksOf(id, width) {
  const { min, max } = await call(takePath(id, `peaks?width=${width}`));
  const over = (channels, pick) => channels[0].map((_, i) => pick(...channels.map((channel) => channel[i])));
  return { low: over(min, Math.min), high: over(max, Math.max) };
}

/**
 * Follow a job until it ends. The browser connects again by itself when the connection breaks.
 * @param {string} id
 * @param {(job: any) => void} update
 * @param {() => void} gone called when the server does not know the job
 * @returns {() => void} stops following
 */
export function follow(id, update, gone) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`;
  const source = new EventSource(`${path}/events`);
  const hear = (/** @type {MessageEvent} */ event) => {
    const job = JSON.parse(event.data);
    if (["done", "failed", "cancelled"].includes(job.state)) source.close();
    update(job);
  };
  for (const name of ["state", "progress", "done", "failed", "cancelled"]) source.addEventListener(name, hear);
  source.addEventListener("error", async () => {
    try {
      update(await call(path));
    } catch (error) {
      if (error.status !== 404) return;
      source.close();
      gone();
    }
  });
  return () => source.close();
}
