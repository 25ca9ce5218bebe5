/** Mistakes in a swarm's files: collected, so that one run shows them all, and thrown together. */
import { isAbsolute, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { CallSite } from "./call-site.ts";
import { lineWithin } from "./source-position.ts";

export interface Diagnostic {
  /** Absolute path. */
  readonly file: string;
  /** From 1; undefined when it is about the file as a whole. */
  readonly line: number | undefined;
  /** One sentence: what is wrong and what to do. */
  readonly text: string;
}

/** What one run shows at most; a first mistake often causes the rest. */
const shownMax = 10;

/** The swarm cannot be used as written. Its message is one line a mistake, `swarm.ts:12: ...`. */
export class SwarmFileError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[]) {
    super(lines(diagnostics).join("\n"));
    this.diagnostics = diagnostics;
  }

  /** `swarm.ts:12: ...`, at most ten, and how many more there are. */
  get lines(): string[] {
    return lines(this.diagnostics);
  }
}

/** There is no such file; the message says what to do. */
export class SwarmFileMissingError extends Error {
  readonly file: string;

  constructor(file: string) {
    super(`There is no ${file}: name a swarm file, or make one with covey init.`);
    this.file = file;
  }
}

export class Diagnostics {
  readonly #file: string;
  readonly #found: Diagnostic[] = [];

  /** `file` is blamed for whatever has no call site. */
  constructor(file: string) {
    this.#file = file;
  }

  /** Notes a mistake in the part written at `site`; `path` leads to the line within it (source-position.ts). */
  add(site: CallSite | undefined, path: readonly string[], text: string): void {
    const place =
      site === undefined
        ? { file: this.#file, line: undefined }
        : { file: fileURLToPath(site.url), line: lineWithin(site, path) };
    const known = this.#found.some(
      (found) => found.file === place.file && found.line === place.line && found.text === text,
    );
    // A function that makes several boards says the same of each.
    if (!known) this.#found.push({ ...place, text });
  }

  throwIfAny(): void {
    if (this.#found.length === 0) return;
    throw new SwarmFileError(this.#found.toSorted(byPlace));
  }
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0);
}

function lines(diagnostics: readonly Diagnostic[]): string[] {
  const shown = diagnostics.slice(0, shownMax).map(({ file, line, text }) => {
    return `${shortPath(file)}${line === undefined ? "" : `:${line}`}: ${text}`;
  });
  const more = diagnostics.length - shown.length;
  return more > 0 ? [...shown, `... and ${more} more.`] : shown;
}

/** Relative to where the user is, when it is below. */
function shortPath(file: string): string {
  const path = relative(process.cwd(), file);
  return path.startsWith("..") || isAbsolute(path) ? file : path;
}
