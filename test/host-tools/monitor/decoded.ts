import { BoardSession, type SessionOptions } from "../../../host-tools/monitor/board-session.ts";
import type { BoardEvent } from "../../../host-tools/monitor/monitor-event.ts";

/** What a session makes of that text, in pieces of `pieceBytes`. */
export function decode(
  said: string | Uint8Array,
  options: Partial<SessionOptions> = {},
  pieceBytes = 7,
): { readonly events: BoardEvent[]; readonly session: BoardSession } {
  const events: BoardEvent[] = [];
  const session = new BoardSession({ baud: 115_200, elf: undefined, raw: false, ...options }, (event) =>
    events.push(event),
  );
  const bytes = typeof said === "string" ? Buffer.from(said) : said;
  for (let at = 0; at < bytes.length; at += pieceBytes)
    session.hear(bytes.subarray(at, at + pieceBytes), at / 1000);
  return { events, session };
}
