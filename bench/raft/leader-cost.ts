/**
 * What a committed entry of 64 bytes costs the leader, exactly, by how many learners listen: flat, because it is encoded and published once
 * for all of them (design, point 12). Two boards vote with the host, and are replicated to individually.
 */
import { bytes, printTable } from "../table.ts";
import { CountedGroup } from "./counted-group.ts";

export interface LeaderCost {
  readonly learners: number;
  /** Times that an entry was encoded; publishes with entries; their bytes, with MQTT's header and topic. */
  readonly entriesEncoded: number;
  readonly publishes: number;
  readonly bytesPublished: number;
  /** Apart: what every member is told of its own, the commit index and the hash there, as a heartbeat tells it. */
  readonly confirmations: number;
  readonly confirmationBytes: number;
  /** Apart: writes to sockets, of all of the above. */
  readonly socketWrites: number;
}

export const votingBoards = 2;
export const learnerCounts = Object.freeze([1, 10, 100]);

export function measureLeaderCost(learners: number, entries = 1): LeaderCost {
  const group = new CountedGroup(votingBoards + learners, votingBoards);
  const value = "covey".padEnd(64, "-");
  group.set(Array.from({ length: entries }, (_, number) => ({ key: `bench.${number}`, value })));
  const { publications, appends, confirmations, publicationWrites } = group.counts;
  return {
    learners,
    entriesEncoded: publications.entries + appends.entries,
    publishes: publications.messages + appends.messages,
    bytesPublished: publications.bytes + appends.bytes,
    confirmations: confirmations.messages,
    confirmationBytes: confirmations.bytes,
    socketWrites: publicationWrites + appends.messages + confirmations.messages,
  };
}

/** Of each figure, that with the most learners over that with the fewest. */
export function growth(costs: readonly LeaderCost[]): number {
  const [first, last] = [costs[0]!, costs.at(-1)!];
  return Math.max(
    last.entriesEncoded / first.entriesEncoded,
    last.publishes / first.publishes,
    last.bytesPublished / first.bytesPublished,
  );
}

export function printLeaderCost(costs: readonly LeaderCost[], batch: readonly LeaderCost[]): void {
  const figure = ({ entriesEncoded, publishes, bytesPublished }: LeaderCost) =>
    `${entriesEncoded} / ${publishes} / ${bytes(bytesPublished)}`;
  const apart = ({ confirmations, confirmationBytes, socketWrites }: LeaderCost) =>
    `apart: ${confirmations} confirmations, ${bytes(confirmationBytes)}; ${socketWrites} socket writes`;
  printTable("Leader's cost of one committed entry: entries encoded / publishes / bytes published", [
    ...costs.map((cost) => ({ what: `${cost.learners} learners`, figure: figure(cost), how: apart(cost) })),
    { what: "growth", figure: growth(costs).toFixed(2), how: "from the fewest to the most; at most 1.20" },
    ...batch.map((cost) => ({
      what: `${cost.learners} learners, 64 entries at once`,
      figure: figure(cost),
      how: apart(cost),
    })),
  ]);
}
