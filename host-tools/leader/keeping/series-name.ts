/**
 * What hosts call a series on the boards that keep it: `north-1/temperature~k3x9qa`. The end is the host's that took its blocks, or rather its disk's: whoever has a
 * new disk counts from 1 again under another name, so that no number is ever given twice.
 */
export interface SeriesName {
  readonly board: string;
  readonly metric: string;
  readonly writer: string;
}

export const writerLength = 6;

export function seriesText({ board, metric, writer }: SeriesName): string {
  return `${board}/${metric}~${writer}`;
}

/** undefined for a name that no host gives. */
export function readSeriesName(text: string): SeriesName | undefined {
  const slash = text.indexOf("/");
  const tilde = text.lastIndexOf("~");
  if (slash < 1 || tilde < slash + 2 || text.length - tilde - 1 !== writerLength) return undefined;
  return {
    board: text.slice(0, slash),
    metric: text.slice(slash + 1, tilde),
    writer: text.slice(tilde + 1),
  };
}
