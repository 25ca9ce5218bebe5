/** Who was refused what, kept where everybody can look it up later: in the replicated log. */
export interface Audit {
  /**
   * `who` is a member, an operator, or an address; `what` a few words. Repeated refusals are counted together, so that nobody fills the log by
   * being refused.
   */
  refused(who: string, what: string): void;
}
