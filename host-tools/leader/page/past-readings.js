// @ts-check
/** What was measured before the page was opened, for the lines. */
import { sparklineLimits } from "./sparkline.js";

/** @typedef {import("../api/types/readings.ts").StoredReading} StoredReading */

const readingsMax = 20_000;

/**
 * The readings of a line's length, a list for each metric of each board; none where the leader does not answer.
 * @param {string} [board] all boards without it
 * @returns {Promise<StoredReading[][]>}
 */
export async function pastReadings(board) {
  const from = Date.now() - sparklineLimits.ageMaxMs;
  const of = board === undefined ? "" : `&board=${encodeURIComponent(board)}`;
  const response = await fetch(`/api/readings?from=${from}&limit=${readingsMax}${of}`).catch(() => undefined);
  if (!response?.ok) return [];
  const readings = /** @type {StoredReading[]} */ (await response.json());
  return [...Map.groupBy(readings, (reading) => `${reading.board}/${reading.metric}`).values()];
}
