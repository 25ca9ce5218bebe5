/** What no check of one board alone finds: whether there are boards to keep what another one reports. */
import type { CallSite } from "./call-site.ts";
import { compileDuration } from "./compile-duration.ts";
import type { BoardDefinition, KeepingDefinition } from "./definition.ts";
import type { Diagnostics } from "./diagnostics.ts";
import { isRecord, shown } from "./given.ts";
import { suggestion } from "./suggestion.ts";

/** `given` as it stands in the swarm's `keeping`. */
export function compileKeeping(
  given: unknown,
  site: CallSite | undefined,
  diagnostics: Diagnostics,
): KeepingDefinition {
  const known = ["lostAfter"];
  if (given !== undefined && !isRecord(given)) {
    diagnostics.add(site, ["keeping"], 'keeping must be an object such as { lostAfter: "10m" }.');
  }
  const options = isRecord(given) ? given : {};
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    diagnostics.add(site, ["keeping", key], `keeping has no ${shown(key)}${suggestion(key, known)}`);
  }
  const { lostAfter = "10m" } = options;
  return { lostAfterMs: compileDuration(lostAfter, lostAfterMsMin, "lostAfter", site, diagnostics) };
}

/** Less, and a board that restarts is lost. */
const lostAfterMsMin = 5_000;

export function checkKept(
  boards: Readonly<Record<string, BoardDefinition>>,
  wrong: (path: readonly string[], text: string) => void,
): void {
  for (const [board, { kept }] of Object.entries(boards)) {
    if (kept === undefined) continue;
    const zones = new Set<string>();
    for (const [other, { place }] of Object.entries(boards)) {
      if (other !== board && place?.keeps === true && place.zone !== undefined) zones.add(place.zone);
    }
    if (zones.size >= kept.copies) continue;
    const found =
      zones.size === 0
        ? "none has"
        : `only ${[...zones].sort().map(shown).join(", ")} ${zones.size === 1 ? "has" : "have"}`;
    wrong(
      ["boards", board],
      `the board ${shown(board)} asks for ${kept.copies} copies, which lie in different zones, and ${found} another board with keeps; ` +
        'write place: { zone: "north", keeps: true } of more boards, or ask for fewer copies.',
    );
  }
}
