import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A maker that has told no progress for so long is taken for dead. */
export const SILENCE_MS_MAX = 60_000;

const LOOK_EVERY_MS = 200;

/** What is told of progress, as JSON, must fit. */
const LINE_CHARACTERS = 256;

/**
 * Makes a file that several processes may need at the same time: one makes it, the others wait and see its progress.
 * The claim is a file beside it; whoever finds one without life in it takes it over.
 *
 * @param make makes the file at `path` in one step (by a rename), calling `tell` at least every SILENCE_MS_MAX
 */
export async function makeOnce<Progress>(
  path: string,
  make: (tell: (progress: Progress) => void) => Promise<void>,
  onProgress: (progress: Progress) => void = () => {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const claim = `${path}.claim`;
  let seen = "";
  while (!existsSync(path)) {
    if (await takeClaim(claim)) {
      try {
        // The maker before may have finished between the look and the claim.
        if (!existsSync(path)) await make((progress) => tellProgress(claim, progress, onProgress));
      } finally {
        await rm(claim, { force: true });
      }
      return;
    }
    await sleep(LOOK_EVERY_MS);
    const told = await readFile(claim, "utf8").catch(() => "");
    if (told !== seen && told.length === LINE_CHARACTERS) onProgress(JSON.parse(told) as Progress);
    seen = told;
    await dropIfSilent(claim);
  }
}

async function takeClaim(claim: string): Promise<boolean> {
  try {
    await writeFile(claim, "", { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function tellProgress<Progress>(
  claim: string,
  progress: Progress,
  onProgress: (progress: Progress) => void,
): void {
  onProgress(progress);
  // Always the same length, so that a shorter line leaves no rest of a longer one. Into the file that is there, so
  // that a late line brings no claim back. Only for those who wait: nothing hangs on it.
  writeFile(claim, JSON.stringify(progress).padEnd(LINE_CHARACTERS), { flag: "r+" }).catch(() => {});
}

async function dropIfSilent(claim: string): Promise<void> {
  const touched = await stat(claim).catch(() => undefined);
  if (touched && Date.now() - touched.mtimeMs > SILENCE_MS_MAX) await rm(claim, { force: true });
}
