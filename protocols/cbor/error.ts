/** What is wrong with a CBOR item. */
export type CborFault =
  /** The bytes end inside an item. */
  | "truncated"
  /** Bytes follow the item. */
  | "trailing"
  /** RFC 8949 does not allow these bytes: reserved lengths, text that is not UTF-8. */
  | "malformed"
  /** Well-formed CBOR outside the part that Covey uses: tags, maps, indefinite lengths, integers beyond 2^53. */
  | "unsupported"
  /** More nesting, items or bytes than the limits allow. */
  | "too-large";

/** Bytes that are not one CBOR item of the kind in `value.ts`, or a value that cannot become one. */
export class CborError extends Error {
  readonly fault: CborFault;
  /** Where in the bytes, read or written. */
  readonly offset: number;

  constructor(fault: CborFault, offset: number, what: string) {
    super(`CBOR at byte ${offset}: ${what}`);
    this.fault = fault;
    this.offset = offset;
  }

  override get name(): string {
    return "CborError";
  }
}
