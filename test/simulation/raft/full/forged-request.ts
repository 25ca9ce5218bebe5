/**
 * What a host that was broken into may say to a board in the name of another: would it vote for it, in a term that nobody will ever reach? A board that believes
 * it answers, and nothing else comes of it: so it may be asked at any time.
 */
import type { MemberId, Message } from "../../../../protocols/raft/types.ts";

const forgedTerm = 1_000_000;

/** @param number by which an answer is known. */
export function forgedPreVote(as: MemberId, to: MemberId, number: number): Message {
  const term = forgedTerm + number;
  return {
    type: "vote-request",
    purpose: "pre-vote",
    from: as,
    to,
    term,
    lastLogIndex: term,
    lastLogTerm: term,
  };
}

/** Which one it answers to; undefined for an honest message. */
export function forgeryAnswered(message: Message): number | undefined {
  const isAnswer = message.type === "vote-response" && message.isPreVote && message.term >= forgedTerm;
  return isAnswer ? message.term - forgedTerm : undefined;
}
