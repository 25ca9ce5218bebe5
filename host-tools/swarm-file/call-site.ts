/**
 * Where in the user's files a part of the swarm was written: each builder of the API notes it, so that a mistake found
 * later is shown with its file and line. Type stripping keeps lines and columns, so no source map is needed.
 *
 * The stack is read as text, so that this file, which the user's editor checks along with `swarm.ts`, needs no types of Node's.
 */
export interface CallSite {
  /** `file:///home/me/greenhouse/swarm.ts` */
  readonly url: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units; the name that is called: `median` in `.median(5)`. */
  readonly column: number;
}

/** The innermost caller outside this folder; undefined when there is none, as in a console. */
export function callSite(): CallSite | undefined {
  const [own, ...callers] = stackPlaces(new Error().stack ?? "");
  if (own === undefined) return undefined;
  const ownFolder = own.url.slice(0, own.url.lastIndexOf("/") + 1);
  return callers.find(({ url }) => !url.startsWith(ownFolder));
}

/** The places in files that a V8 stack trace names, innermost first; a line may lack its column. */
export function stackPlaces(stack: string): CallSite[] {
  const places: CallSite[] = [];
  for (const text of stack.split("\n")) {
    const [, url, line, column] = /(file:\/\/.+?):(\d+)(?::(\d+))?\)?$/.exec(text) ?? [];
    if (url !== undefined) places.push({ url, line: Number(line), column: Number(column ?? 1) });
  }
  return places;
}
