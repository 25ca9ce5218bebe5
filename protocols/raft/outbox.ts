/** What a host's core has to say after an input, gathered while it is dealt with. */
import type { Entry, HardState, Message, Publication, RaftOutput, SnapshotChunk } from "./types.ts";

export class Outbox {
  hardState: HardState | undefined;
  truncateFrom = 0;
  entries: readonly Entry[] = [];
  snapshot: SnapshotChunk | undefined;
  violation: string | undefined;
  readonly messages: Message[] = [];
  readonly publications: Publication[] = [];

  /** Hands everything over; the outbox is empty then. */
  flush(commitIndex: number): RaftOutput {
    const output: RaftOutput = {
      hardState: this.hardState,
      truncateFrom: this.truncateFrom,
      entries: this.entries,
      snapshot: this.snapshot,
      messages: this.messages.splice(0),
      publications: this.publications.splice(0),
      commitIndex,
      violation: this.violation,
    };
    this.hardState = undefined;
    this.truncateFrom = 0;
    this.entries = [];
    this.snapshot = undefined;
    this.violation = undefined;
    return output;
  }
}
