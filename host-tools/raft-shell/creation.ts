/** What `create` asks for, read and checked: nothing is made of an operation that is wrong. */
import type { Configuration } from "../../protocols/raft/confchange.ts";
import { noConfiguration } from "../../protocols/raft/confchange.ts";
import type { Timing } from "../../protocols/raft/node-options.ts";
import { hostFlow, uncommittedEntriesMax } from "../../protocols/raft/node-options.ts";
import type { Flow } from "../../protocols/raft/progress.ts";
import { boardFlow } from "../../protocols/raft/progress.ts";
import type { MemberId } from "../../protocols/raft/types.ts";
import { limits } from "../../protocols/raft/types.ts";
import type { Operation } from "./operation.ts";
import { WrongOperation } from "./operation.ts";

export interface Creation {
  /** In the order of the operation: voters, learners, others. */
  readonly ids: readonly MemberId[];
  readonly boards: readonly MemberId[];
  readonly listeners: readonly MemberId[];
  readonly configuration: Configuration;
  readonly firstIndex: number;
  readonly preVote: boolean;
  readonly checkQuorum: boolean;
  readonly leaseReads: boolean;
  readonly catchesUp: boolean;
  /** In ticks. */
  readonly timing: Timing;
  /** The election timeout in ticks of each that has one of its own. */
  readonly timeouts: ReadonlyMap<MemberId, number>;
  /** What is sent at a time to a host, and to a board. */
  readonly flows: { readonly host: Flow; readonly board: Flow };
  readonly uncommittedEntriesMax: number;
}

/** `isKnown` says whether there is such a node already. Throws `WrongOperation`. */
export function creationFrom(operation: Operation, isKnown: (id: MemberId) => boolean): Creation {
  const voters = operation.texts("voters");
  const learners = operation.texts("learners");
  const ids = [...new Set([...voters, ...learners, ...operation.texts("others")])];
  const electionTicks = operation.optionalInteger("electionTicks", 2, 10);
  const own = operation.object("limits")?.integers(1) ?? new Map<string, number>();
  const flow = Object.fromEntries([...own].filter(([name]) => name !== "uncommittedEntriesMax"));
  const creation: Creation = {
    ids,
    boards: operation.texts("boards"),
    listeners: operation.texts("listeners"),
    configuration: { ...noConfiguration, voters, learners },
    firstIndex: operation.optionalInteger("firstIndex", 1, 1),
    preVote: operation.optionalFlag("preVote", true),
    checkQuorum: operation.optionalFlag("checkQuorum", true),
    leaseReads: operation.optionalFlag("leaseReads", false),
    catchesUp: operation.optionalFlag("catchesUp", true),
    timing: {
      heartbeatMs: operation.optionalInteger("heartbeatTicks", 1, 1),
      electionMinMs: electionTicks,
      electionMaxMs: 2 * electionTicks,
    },
    timeouts: operation.object("timeouts")?.integers(electionTicks) ?? new Map<string, number>(),
    flows: { host: { ...hostFlow, ...flow }, board: { ...boardFlow, ...flow } },
    uncommittedEntriesMax: own.get("uncommittedEntriesMax") ?? uncommittedEntriesMax,
  };
  operation.checkAllRead();
  for (const name of own.keys()) {
    if (!limitNames.includes(name)) {
      throw new WrongOperation(`limits: ${name} is none of ${limitNames.join(", ")}.`);
    }
  }
  check(creation, isKnown);
  return creation;
}

const limitNames: readonly string[] = [...Object.keys(boardFlow), "uncommittedEntriesMax"];

function check(creation: Creation, isKnown: (id: MemberId) => boolean): void {
  const { ids, boards, listeners, configuration, timing, timeouts } = creation;
  const { voters, learners } = configuration;
  if (ids.length === 0) throw new WrongOperation("create: name voters, learners or others.");
  for (const id of ids) if (isKnown(id)) throw new WrongOperation(`There is a node ${id} already.`);
  for (const id of learners) {
    if (voters.includes(id)) throw new WrongOperation(`${id} cannot be both voter and learner.`);
  }
  for (const id of boards) {
    if (!ids.includes(id)) throw new WrongOperation(`boards names ${id}, which is not created here.`);
  }
  for (const id of listeners) {
    if (!boards.includes(id)) throw new WrongOperation(`listeners names ${id}, which is none of the boards.`);
  }
  if (voters.length > limits.votersMax) throw new WrongOperation(`At most ${limits.votersMax} may vote.`);
  for (const [id, ticks] of timeouts) {
    if (!ids.includes(id)) throw new WrongOperation(`timeouts names ${id}, which is not created here.`);
    if (ticks >= timing.electionMaxMs) {
      throw new WrongOperation(`The timeout of ${id} must be below ${timing.electionMaxMs} ticks.`);
    }
  }
}
