import type { BoardLog } from "../board/board-log.ts";
import type { Life } from "../board/life.ts";
import type { Links } from "../board/links.ts";
import type { Telemetry } from "../board/telemetry.ts";
import type { Leaving } from "../board/voter-turn.ts";
import type { KeyValue, Ports, UpdateSlot } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";

/** What an update has to do with. */
export interface UpdateParts {
  readonly ports: Pick<Ports, "ciphers" | "random" | "system">;
  readonly keyValue: KeyValue;
  readonly slot: UpdateSlot;
  readonly store: Pick<BoardStore, "get" | "isVoter">;
  readonly log: BoardLog;
  readonly links: Pick<Links, "publishAt" | "moveOn" | "hearsLeader">;
  readonly life: Pick<Life, "state" | "isTelling" | "sleeps">;
  readonly leaving: Leaving;
  readonly telemetry: Pick<Telemetry, "tellNews">;
}
