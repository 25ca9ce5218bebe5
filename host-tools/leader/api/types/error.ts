/** What every refusal says. */

export interface ApiError {
  /** One sentence: what is wrong and what to do. */
  readonly message: string;
  readonly code:
    | "bad-request"
    | "not-found"
    | "out-of-limits"
    /** The value is not the expected one; nothing was changed. */
    | "unexpected-value"
    /** It cannot be told any more whether this command was carried out. */
    | "forgotten"
    /** The root's statement is no newer than what is agreed on. */
    | "not-newer"
    /** The host that leads has not got the image yet: send it there, or wait until it has fetched it. */
    | "conflict"
    | "no-image"
    /** The host wants to know first who asks. */
    | "not-logged-in"
    /** Whoever asks has no right to that. */
    | "forbidden"
    /** Too many attempts to log in: wait as long as the header retry-after says. */
    | "too-many"
    /** The voters would be without a majority. */
    | "no-quorum"
    /** It can be done with `force`, but something else would be better. */
    | "unwise"
    /** Nobody leads, or this host was asked for another and does not lead: nothing was changed. */
    | "not-leader"
    /** Not known in time whether it was carried out. */
    | "timeout"
    | "internal";
}
