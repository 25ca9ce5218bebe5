/**
 * Whether a host that has no log may found the swarm's group: only the first host of `swarm.ts`, and only when every other one has said
 * that it has no log either. Two groups of one swarm would each commit what the other never hears of.
 */
export type Founding =
  /** Begin a group of this host alone. */
  | "found"
  /** There is a group, or another host founds it: begin with an empty log and wait to be taken in. */
  | "join"
  /** Not all have answered. */
  | "wait";

export interface FoundingView {
  readonly hostName: string;
  /** All hosts in the order of `swarm.ts`. */
  readonly hostNames: readonly string[];
  /** What the other hosts said of themselves since this one started. */
  readonly hasLog: ReadonlyMap<string, boolean>;
}

export function foundingOf({ hostName, hostNames, hasLog }: FoundingView): Founding {
  if (hostName !== hostNames[0]) return "join";
  const others = hostNames.slice(1);
  if (others.some((name) => hasLog.get(name) === true)) return "join";
  return others.every((name) => hasLog.get(name) === false) ? "found" : "wait";
}
