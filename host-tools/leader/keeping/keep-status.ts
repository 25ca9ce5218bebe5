/** How what is kept stands, as the host that leads knows it. */
import type { KeeperStatus, KeepStatus, KeptBoardStatus } from "../api/types/keeping.ts";
import { isFull } from "./holdings.ts";
import type { Keeping } from "./keeping.ts";
import type { OutboxCounters } from "./outbox.ts";
import { countOf, unite } from "./ranges.ts";
import { readSeriesName } from "./series-name.ts";

export type KeepParts = {
  readonly keeping: Keeping;
  readonly isUp: (board: string) => boolean;
  /** Of this host. */
  readonly counters: OutboxCounters;
  readonly metricsOf: (board: string) => readonly string[];
};

export function keepStatus(parts: KeepParts): Pick<KeepStatus, "boards" | "keepers" | "hosts" | "mending"> {
  const { keeping } = parts;
  const { copied, copiedBytes, unreadable, isBusy } = keeping.mending;
  return {
    boards: [...keeping.wanted.keys()].sort().map((board) => boardStatus(board, parts)),
    keepers: [...keeping.zones.keys()].sort().map((board) => keeperStatus(board, parts)),
    hosts: [...keeping.hosts]
      .map(([host, blocks]) => ({ host, ...blocks }))
      .sort((a, b) => (a.host < b.host ? -1 : 1)),
    mending: { isBusy, copied, copiedBytes, unreadable },
  };
}

function boardStatus(board: string, parts: KeepParts): KeptBoardStatus {
  const { keeping, isUp, metricsOf } = parts;
  const { copies } = keeping.wanted.get(board)!;
  const shelf = keeping.agreed.shelves.get(board)?.shelf;
  const keepers = (shelf?.keepers ?? []).map(({ board: keeper, isWhole }) => {
    const zone = keeping.zones.get(keeper) ?? "";
    const missing = keeping.mending.missingOf(board, keeper);
    const state = isUp(keeper) ? (isWhole ? "whole" : "behind") : "away";
    return { board: keeper, zone, state, isWhole, missing } as const;
  });
  const whole = keepers.filter(({ isWhole }) => isWhole).length;
  const waitsFor = (shelf?.former ?? []).map((former) => former.board);
  const reason = reasonOf(board, copies, keepers, waitsFor, parts);
  return {
    ...{ board, metrics: metricsOf(board), copies, whole, keepers },
    ...listedOf(board, parts),
    ...(reason === undefined ? {} : { reason }),
  };
}

/** As the keepers were last listed. */
function listedOf(
  board: string,
  { keeping, counters }: KeepParts,
): Pick<KeptBoardStatus, "blocks" | "bytes"> {
  let blocks = 0;
  const names = new Map<string, ReturnType<typeof unite>>();
  for (const keeper of keeping.zones.keys()) {
    const holdings = keeping.mending.holdingsOf(keeper);
    for (const name of holdings?.series ?? []) {
      if (readSeriesName(name)?.board === board)
        names.set(name, unite(names.get(name) ?? [], holdings!.of(name)));
    }
  }
  for (const ranges of names.values()) blocks += countOf(ranges);
  const each = counters.taken === 0 ? 0 : counters.takenBytes / counters.taken;
  return { blocks, bytes: Math.round(blocks * each) };
}

/** Why there are not as many whole copies as are wanted, as a sentence; undefined when there are, or soon will be. */
function reasonOf(
  board: string,
  copies: number,
  keepers: KeptBoardStatus["keepers"],
  waitsFor: readonly string[],
  { keeping, isUp }: KeepParts,
): string | undefined {
  if (keepers.every(({ isWhole }) => isWhole) && keepers.length === copies) return undefined;
  if (keepers.length < copies) {
    const used = keepers.map(({ zone }) => zone);
    const others = [...keeping.zones].filter(([name, zone]) => name !== board && !used.includes(zone));
    const why = others.map(([name]) => {
      const refusal = keeping.shelves.refusalOf(name);
      if (keeping.agreed.drained.includes(name)) return `${name} is drained`;
      if (refusal !== undefined) return `${name} keeps nothing (${refusal})`;
      return isUp(name) ? `${name} is being asked` : `${name} is not connected`;
    });
    const zones = used.length === 0 ? "in any zone" : `outside ${used.join(", ")}`;
    return `${keepers.length} of ${copies} keepers, because there is no other one ${zones}: ${why.join(", ") || "swarm.ts names none"}.`;
  }
  const away = waitsFor.filter((name) => !isUp(name));
  if (away.length > 0) {
    return `New copies wait for ${away.join(", ")}, which had what was kept and ${away.length === 1 ? "is" : "are"} not connected; take a board that is gone for good from swarm.ts.`;
  }
  return undefined;
}

function keeperStatus(board: string, { keeping, isUp }: KeepParts): KeeperStatus {
  const refusal = keeping.shelves.refusalOf(board);
  const ring = keeping.shelves.ringOf(board);
  return {
    board,
    zone: keeping.zones.get(board)!,
    link: isUp(board) ? "up" : "down",
    isDrained: keeping.agreed.drained.includes(board),
    of: [...keeping.agreed.shelves].flatMap(([kept, { shelf }]) =>
      shelf.keepers.some((keeper) => keeper.board === board) ? [kept] : [],
    ),
    bytes: ring === undefined ? undefined : ring.sectors * sectorBytes,
    usedBytes: ring === undefined ? undefined : (ring.newest - ring.oldest + 1) * sectorBytes,
    isFull: ring !== undefined && isFull(ring),
    damaged: keeping.mending.holdingsOf(board)?.ring.damaged ?? 0,
    ...(refusal === undefined ? {} : { refusal }),
  };
}

const sectorBytes = 4_096;
