/** What `GET /api/readings` answers, and what telemetry stores. */

export interface StoredReading {
  /** Unix milliseconds. */
  readonly atMs: number;
  readonly board: string;
  readonly metric: string;
  /** null when the sensor gave nothing. */
  readonly value: number | null;
  readonly unit: string;
  readonly quality: number;
}
