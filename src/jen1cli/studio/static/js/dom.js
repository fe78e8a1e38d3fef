/** Small helpers around the DOM. Text from anybody goes through `textContent` alone. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} id
 * @returns {any} the element of the page with that id: an input, a dialog, a canvas …
 */
export const $ = (id) => document.getElementById(id);

/**
 * Make an element. `on` holds listeners, `text` the text content; names with a dash and `role` are
 * attributes, all others properties.
 * @param {string} tag
 * @param {Record<string, any>} [properties]
 * @param {...(Node | null)} children
 * @returns {any}
 */
export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "on") for (const [event, call] of Object.entries(value)) node.addEventListener(event, call);
    else if (name === "text") node.textContent = value;
    else if (name.includes("-") || name === "role") node.setAttribute(name, String(value));
    else /** @type {any} */ (node)[name] = value;
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

/**
 * @param {string} name of a symbol in index.html
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  svg.setAttribute("aria-hidden", "true");
  return svg;
}

/**
 * @param {string} name of the symbol
 * @param {string} label
 * @param {(event: MouseEvent) => void} click
 * @returns {HTMLButtonElement}
 */
export const iconButton = (name, label, click) =>
  el("button", { type: "button", className: "icon", "aria-label": label, title: label, on: { click } }, icon(name));

/** Tell screen readers, without moving the focus. @param {string} text */
export function announce(text) {
  $("live").textContent = text;
}

/**
 * @param {number} seconds
 * @param {number} [decimals]
 * @returns {string} such as "1:05.3"
 */
export function clock(seconds, decimals = 1) {
  const scale = 10 ** decimals;
  const whole = Math.round(Math.max(0, seconds) * scale) / scale;
  const rest = (whole % 60).toFixed(decimals).padStart(decimals ? decimals + 3 : 2, "0");
  return `${Math.floor(whole / 60)}:${rest}`;
}

/** @param {number} value @returns {string} with two decimals at most */
export const short = (value) => String(Math.round(value * 100) / 100);

/** @param {string} created ISO time @returns {string} such as "5 min ago" */
export function ago(created) {
  const minutes = Math.floor((Date.now() - Date.parse(created)) / 60_000);
  if (!(minutes >= 1)) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return new Date(created).toLocaleDateString();
}

/**
 * Size a canvas for the screen and clear it.
 * @param {HTMLCanvasElement} canvas
 * @returns {{context: CanvasRenderingContext2D, width: number, height: number}} in CSS pixels
 */
export function fresh(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio, ratio);
  return { context, width, height };
}

/** @param {string} name of a custom property @returns {string} its colour in the present theme */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/**
 * Ask in a dialog. With `value` there is a field, with `pre` a block of text and one button.
 * @param {{title: string, text?: string, yes?: string, value?: string, pre?: string}} options
 * @returns {Promise<string | null>} what stands in the field ("" without one), or null
 */
export function ask({ title, text = "", yes = "OK", value, pre }) {
  const dialog = $("ask"), input = $("ask-input"), block = $("ask-pre");
  $("ask-title").textContent = title;
  $("ask-text").textContent = text;
  $("ask-text").hidden = !text;
  $("ask-yes").textContent = yes;
  $("ask-no").hidden = pre !== undefined;
  input.hidden = value === undefined;
  input.value = value ?? "";
  block.hidden = pre === undefined;
  block.textContent = pre ?? "";
  dialog.returnValue = "no";
  // no submit button, or Enter in the field would mean it
  $("ask-no").onclick = () => dialog.close("no");
  dialog.showModal();
  if (value === undefined) $("ask-yes").focus();
  else input.select();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes" ? input.value : null), { once: true });
  });
}
