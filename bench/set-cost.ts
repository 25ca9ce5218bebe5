/**
 * What one `set` costs in messages and bytes, exactly: the member and the followers that ship, joined by a lossless wire, from the
 * proposal until every board has applied and said so. No clock runs, so no heartbeat is among them.
 */
import { CountedGroup } from "./raft/counted-group.ts";

export interface SetCost {
  readonly boards: number;
  readonly voters: number;
  /** A publication to all counts once. */
  readonly messagesToBoards: number;
  readonly messagesFromBoards: number;
  /** Bytes of the Raft messages themselves. */
  readonly payloadBytes: number;
  /** Sealed, with MQTT's header and topic, as published. */
  readonly mqttBytes: number;
}

/** A host and `boards` boards, of which the first `votingBoards` vote with it; one key set once. */
export function measureSetCost(boards: number, votingBoards: number): SetCost {
  const group = new CountedGroup(boards, votingBoards);
  group.set([{ key: "fan.duty", value: 40 }]);
  const { publications, appends, confirmations, answers } = group.counts;
  const said = [publications, appends, confirmations];
  return {
    boards,
    voters: votingBoards + 1,
    messagesToBoards: said.reduce((sum, { messages }) => sum + messages, 0),
    messagesFromBoards: answers.messages,
    payloadBytes: [...said, answers].reduce((sum, { payloadBytes }) => sum + payloadBytes, 0),
    mqttBytes: [...said, answers].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
