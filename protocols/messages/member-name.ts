import type { MemberId } from "../raft/types.ts";

/** The name of a member, which its identity proves, without the incarnation, which is drawn anew where memory is lost. */
export function nameOf(memberId: MemberId): string {
  const dot = memberId.lastIndexOf(".");
  return dot < 0 ? memberId : memberId.slice(0, dot);
}
