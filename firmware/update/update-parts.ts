import type { BoardLog } from "../board/board-log.ts";
import type { Life } from "../board/life.ts";
import type { Links } from "../board/links.ts";
import type { Telemetry } from "../board/telemetry.ts";
import type { WallTime } from "../board/wall-time.ts";
import type { KeyValue, Ports, UpdateSlot } from "../platform/ports.ts";
import type { BoardStore } from "../storage/board-store.ts";

/** What an update has to do with. */
export interface UpdateParts {
  readonly ports: Pick<Ports, "ciphers" | "random" | "system">;
  readonly keyValue: KeyValue;
  readonly slot: UpdateSlot;
  readonly store: Pick<BoardStore, "get" | "isVoter" | "configuration" | "memberId">;
  readonly log: BoardLog;
  readonly links: Pick<Links, "publishAt" | "moveOn" | "areAllJoined" | "hearsLeader" | "isHost">;
  readonly life: Pick<Life, "state" | "isTelling" | "sleeps">;
  readonly time: Pick<WallTime, "wallMs" | "boundMs">;
  readonly telemetry: Pick<Telemetry, "tellNews">;
}
