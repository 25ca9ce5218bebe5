/**
 * Where in the user's files a part of the swarm was written: each builder of the API notes it, so that a mistake found
 * later is shown with its file and line. Type stripping keeps lines and columns, so no source map is needed.
 */
import { fileURLToPath } from "node:url";
import { getCallSites } from "node:util";

export interface CallSite {
  /** Absolute path. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units; the name that is called: `median` in `.median(5)`. */
  readonly column: number;
}

const ownFolder = new URL("./", import.meta.url).href;

/** The innermost caller outside this folder; undefined when there is none, as in a console. */
export function callSite(): CallSite | undefined {
  const site = getCallSites(12).find(({ scriptName }) => isUserFile(scriptName));
  if (site === undefined) return undefined;
  return { file: fileURLToPath(site.scriptName), line: site.lineNumber, column: site.columnNumber };
}

function isUserFile(scriptName: string): boolean {
  return scriptName.startsWith("file:") && !scriptName.startsWith(ownFolder);
}
