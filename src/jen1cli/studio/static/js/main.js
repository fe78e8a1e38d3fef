/** Starts the parts of the page, and opens what was made. */

import * as barview from "./barview.js";
import * as compare from "./compare.js";
import * as compose from "./compose.js";
import * as connection from "./connection.js";
import * as editor from "./editor.js";
import * as heard from "./heard.js";
import * as history from "./history.js";
import * as jobs from "./jobs.js";
import * as lanes from "./lanes.js";
import { begin, open, refresh } from "./open.js";
import * as player from "./player.js";
import * as sheet from "./sheet.js";
import * as shortcuts from "./shortcuts.js";
import * as stage from "./stage.js";
import { current, emit, on, state } from "./state.js";
import * as takes from "./takes.js";
import * as theme from "./theme.js";
import * as tools from "./tools.js";
import * as upload from "./upload.js";

/** An edit of the open take is opened, playing on; other music waits while something plays. */
async function made({ id, body }) {
  await connection.attempt(refresh);
  if (body.take === state.current || !player.isPlaying()) {
    open(id);
    emit("view", "edit");
    if (!player.isPlaying()) player.seek(beforeNew(body));
  } else {
    takes.markFresh(id);
    emit("takes");
  }
}

/** A moment before what is new, so that Space plays it. @returns {number} seconds */
function beforeNew({ task, masks, side, audio_length: seconds }) {
  if (task === "inpaint") return parseFloat(masks[0]) - 1;
  return task === "continue" && side === "right" ? (current()?.seconds ?? 0) - seconds - 2 : 0;
}

connection.startProblems();
theme.start();
stage.start();
player.start();
for (const part of [sheet, heard, lanes, barview, compare, history, editor, takes, tools, compose, upload, shortcuts]) part.start();
on("made", made);
on("problem", ({ code }) => {
  if (code === "take_not_found") void connection.attempt(refresh);  // another tab deleted it
});

let begun = false;
on("server", async (server) => {
  if (server !== "up") return;
  if (begun) await connection.attempt(refresh);
  else await connection.attempt(begin);
  begun = true;
});
// another tab or program may have made or deleted takes
addEventListener("focus", () => {
  if (begun && state.server === "up") void connection.attempt(refresh);
});
jobs.start();
await connection.start();
