// @ts-check
/** Which of many boards deserve a look, and which are looked for. Pure: nothing here touches the page. */

/** @typedef {import("../api/types/status.ts").BoardStatus} BoardStatus */
/** @typedef {"down" | "behind" | "memory" | "fine"} BoardState */

/** The worst first, as `covey status` weighs them. */
export const boardStates = Object.freeze(
  /** @type {const} */ ([
    { state: "down", title: "Down" },
    { state: "behind", title: "Behind" },
    { state: "memory", title: "Low on memory" },
    { state: "fine", title: "Fine" },
  ]),
);

/** Share of its arena from which the peak of a board's heap deserves a look. */
const heapFullFrom = 0.75;

/**
 * The worst that is to be said of a board.
 * @param {BoardStatus} board
 * @param {number} dueIndex what every board has had the time to apply
 * @returns {BoardState}
 */
export function stateOf({ link, appliedIndex, arenaBytes, heapPeakBytes }, dueIndex) {
  if (link !== "up") return "down";
  if (appliedIndex < dueIndex) return "behind";
  return arenaBytes > 0 && heapPeakBytes / arenaBytes > heapFullFrom ? "memory" : "fine";
}

/**
 * Whether each word of `text` is in the board's name, model, firmware, role or state; any board matches no words.
 * @param {BoardStatus} board
 * @param {BoardState} state
 * @param {string} text
 */
export function matches({ id, model, role, link, lastSeenMs, firmware }, state, text) {
  const seen = link === "up" ? "connected" : lastSeenMs === undefined ? "never seen" : "gone";
  const said = [id, model, role, state, seen, firmware?.version ?? ""].join("\n").toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => said.includes(word));
}

/** What was committed some seconds ago: a board that lacks a newer entry is on its way, not behind. */
export class DueIndex {
  #graceMs;
  /** @type {{ atMs: number, commitIndex: number }[]} one each half second at most, the oldest first */
  #seen = [];

  /** @param {number} graceMs */
  constructor(graceMs) {
    this.#graceMs = graceMs;
  }

  /**
   * @param {number} commitIndex as of now
   * @param {number} nowMs
   */
  note(commitIndex, nowMs) {
    const newest = this.#seen.at(-1);
    if (newest === undefined || nowMs - newest.atMs >= 500) this.#seen.push({ atMs: nowMs, commitIndex });
    while (this.#seen.length > 1 && this.#seen[1].atMs <= nowMs - this.#graceMs) this.#seen.shift();
    return Math.min(this.#seen[0].commitIndex, commitIndex);
  }
}
