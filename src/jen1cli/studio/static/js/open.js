/** Opening a take, and keeping the list of takes. */

import { call } from "./api.js";
import { set, state, takeOf } from "./state.js";

const KEPT = "jen1-open";

/** @param {string | null} id */
export function open(id) {
  set({ compared: state.compared.filter((other) => other !== id), current: takeOf(id) ? id : null });
  if (state.current) sessionStorage.setItem(KEPT, state.current);
}

/** Read the list of takes anew; what is gone is closed. */
export async function refresh() {
  const takes = await call("/v1/takes");
  set({ takes });
  if (state.compared.some((id) => !takeOf(id))) set({ compared: state.compared.filter(takeOf) });
  if (!takeOf(state.current)) open(takes[0]?.id ?? null);
}

/** The first look at the takes: the one that was open before, else the newest. */
export async function begin() {
  set({ takes: await call("/v1/takes") });
  open(takeOf(sessionStorage.getItem(KEPT))?.id ?? state.takes[0]?.id ?? null);
}
