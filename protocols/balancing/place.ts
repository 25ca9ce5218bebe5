/**
 * Who is to hold what. Work stays where it is as long as it may be there: each move is a gap in what is measured. So after a loss exactly what the lost holder
 * had is moved, whatever the strategy; after a return nothing is, but under `rendezvous` what is beyond the bound, which is lower now that there are more holders.
 */
import { boundOf, choose, score } from "./choose.ts";
import { type Desk, Desks, mayHold } from "./desk.ts";
import type { Holder, Placing, Work } from "./types.ts";

/**
 * Places all `work` that somebody may hold; what nobody may hold is not in the answer. The same arguments give the same answer, in whatever order they
 * stand. `turn` grows with each placement that was ever made: 0 at first.
 */
export function place(
  work: readonly Work[],
  holders: readonly Holder[],
  present: Placing,
  turn: number,
): Map<string, string> {
  const desks = new Desks(holders);
  const sorted = [...work].sort((a, b) => (a.name < b.name ? -1 : 1));
  const totalLoad = sorted.reduce((sum, { load }) => sum + load, desks.load);
  const waiting = keep(sorted, desks, present, totalLoad);
  const placing = new Map<string, string>();
  let turns = turn;
  for (const one of waiting) {
    const open = desks.all.filter((desk) => mayHold(one, desk));
    if (open.length === 0) continue;
    desks.give(one, choose(one.strategy, { work: one, open, desks, turn: turns++, totalLoad }));
  }
  for (const { holder, work: held } of desks.all) for (const { name } of held) placing.set(name, holder.name);
  return placing;
}

/** Leaves at its holder what may stay; gives what may not, and what has none. */
function keep(sorted: readonly Work[], desks: Desks, present: Placing, totalLoad: number): Work[] {
  const waiting: Work[] = [];
  for (const desk of desks.all) {
    const held = sorted.filter(({ name }) => present.get(name) === desk.holder.name);
    // Those that belong there most first, so that those that belong there least go.
    held.sort((a, b) => score(b.name, desk.holder) - score(a.name, desk.holder));
    for (const one of held) {
      if (mayHold(one, desk) && isWithin(one, desk, desks, totalLoad)) desks.give(one, desk);
      else waiting.push(one);
    }
  }
  waiting.push(...sorted.filter(({ name }) => desks.of(present.get(name) ?? "") === undefined));
  return waiting.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isWithin(work: Work, desk: Desk, desks: Desks, totalLoad: number): boolean {
  return work.strategy !== "rendezvous" || desk.load + work.load <= boundOf(desk, desks, totalLoad);
}
