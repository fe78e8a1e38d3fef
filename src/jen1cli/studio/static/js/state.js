/** What the page knows, and who wants to hear of changes. */

/**
 * @typedef {object} Take
 * @property {string} id
 * @property {string} name
 * @property {string} created
 * @property {string} task generate, inpaint, continue, vary or upload
 * @property {string} prompt
 * @property {number} seconds
 * @property {number | null} seed
 * @property {string | null} parent id of the take that it was made from
 * @property {number | null} bpm
 * @property {string | null} key
 *
 * @typedef {{start: number, end: number}} Range in seconds
 *
 * @typedef {object} State
 * @property {Take[]} takes newest first
 * @property {string | null} current id of the open take
 * @property {string[]} compared ids of the takes beside it
 * @property {Range | null} selection
 * @property {"unknown" | "up" | "down"} server
 */

/** @type {State} */
export const state = { takes: [], current: null, compared: [], selection: null, server: "unknown" };

/** @type {Map<string, Set<(value: any) => void>>} */
const listeners = new Map();

/**
 * Call a function whenever something of that name happens: a key of the state that changed, or
 * an event that `emit` sends.
 * @param {string} name
 * @param {(value: any) => void} call
 */
export function on(name, call) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name)?.add(call);
}

/** @param {string} name @param {any} [value] */
export function emit(name, value) {
  for (const call of listeners.get(name) ?? []) call(value);
}

/** Change the state, then tell the listeners of each key that changed. @param {Partial<State>} changes */
export function set(changes) {
  const changed = Object.keys(changes).filter((key) => state[key] !== changes[key]);
  Object.assign(state, changes);
  for (const key of changed) emit(key, state[key]);
}

/** @param {string | null} id @returns {Take | undefined} */
export const takeOf = (id) => state.takes.find((take) => take.id === id);

/** @param {string | null} id @returns {string | null} id of the take that everything began with */
export function rootOf(id) {
  const seen = new Set();
  let root = id;
  for (let take = takeOf(id); take && !seen.has(take.id); take = takeOf(take.parent)) {
    seen.add(take.id);
    root = take.id;
  }
  return root;
}

/**
 * The words of the whole piece: an edit has those of its part alone.
 * @param {Take} take
 * @returns {string}
 */
export function wordsOf(take) {
  let whole = take;
  while (["inpaint", "continue"].includes(whole.task) && takeOf(whole.parent)) whole = takeOf(whole.parent);
  return whole.prompt;
}

/** @returns {Take | undefined} the open take */
export const current = () => takeOf(state.current);
