/** What is on its way between members: everything waits until it is told what becomes of it. */
import type { MemberId, Message, Publication } from "../../protocols/raft/types.ts";
import type { Operation } from "./operation.ts";

/** A message, or a publication on its way to one of those who listen. */
export type Parcel = Message | (Publication & { readonly to: MemberId });

export type ParcelMatcher = (parcel: Parcel) => boolean;

/** Parcels that may wait; what is beyond is lost. */
const waitingMax = 100_000;

const parcelTypes: readonly Parcel["type"][] = [
  "vote-request",
  "vote-response",
  "append-request",
  "append-response",
  "timeout-now",
  "snapshot-chunk",
  "snapshot-response",
  "log-request",
  "log-response",
  "publication",
];

export class Network {
  #waiting: Parcel[] = [];
  #overflowed = 0;

  send(parcel: Parcel): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push(parcel);
    else this.#overflowed++;
  }

  matching(matches: ParcelMatcher): readonly Parcel[] {
    return this.#waiting.filter(matches);
  }

  /** Takes out the oldest that matches. */
  take(matches: ParcelMatcher): Parcel | undefined {
    const at = this.#waiting.findIndex(matches);
    return at < 0 ? undefined : this.#waiting.splice(at, 1)[0];
  }

  /** Takes out all that match. */
  takeAll(matches: ParcelMatcher): readonly Parcel[] {
    const taken = this.#waiting.filter(matches);
    this.#waiting = this.#waiting.filter((parcel) => !matches(parcel));
    return taken;
  }

  /** How many were lost for want of room, since last asked. */
  takeOverflowed(): number {
    const overflowed = this.#overflowed;
    this.#overflowed = 0;
    return overflowed;
  }
}

/** Which parcels an operation is about: those from, to and of the type that it names. */
export function matcherFrom(operation: Operation): ParcelMatcher {
  const from = operation.optionalText("from");
  const to = operation.optionalText("to");
  const type = operation.has("type") ? operation.choice("type", parcelTypes, "vote-request") : undefined;
  return (parcel) =>
    (from === undefined || from === parcel.from) &&
    (to === undefined || to === parcel.to) &&
    (type === undefined || type === parcel.type);
}
