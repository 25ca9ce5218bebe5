/** Boards one after another: each port as something is plugged into it. */
import { setTimeout as sleep } from "node:timers/promises";

/** Between two looks, in ms; no hand changes boards faster. */
const lookEveryMs = 400;

/** What is there already comes first. A port comes again once it was gone. Ends when `signal` says so. @param attached the ports that are there now */
export async function* pluggedIn(
  attached: () => Promise<readonly string[]>,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  let seen = new Set<string>();
  while (!signal?.aborted) {
    const present = await attached();
    seen = new Set(present.filter((port) => seen.has(port)));
    const next = present.find((port) => !seen.has(port));
    if (next !== undefined) {
      seen.add(next);
      yield next;
    } else await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}
