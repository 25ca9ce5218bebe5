/** The six strategies: each chooses one of the desks that may have the work. None keeps a state of its own, so whoever leads next goes on where the last one was. */
import type { Desk, Desks } from "./desk.ts";
import { fraction, hash } from "./hash.ts";
import type { Strategy, Work } from "./types.ts";

/** How far above its fair share a holder may be loaded under `rendezvous`: a quarter. */
export const boundExcess = 0.25;

export interface Choice {
  readonly work: Work;
  /** Those that may have it, in the order of their names; at least one. */
  readonly open: readonly Desk[];
  readonly desks: Desks;
  /** Grows with each placement: the seed of what is random, and whose turn it is. */
  readonly turn: number;
  /** What all work weighs, placed or not. */
  readonly totalLoad: number;
}

export function choose(strategy: Strategy, choice: Choice): Desk {
  return chosenBy[strategy](choice);
}

/** The most that a desk may be loaded under `rendezvous`. Rounded up to whole tasks: less than one of them nobody can be given. */
export function boundOf(desk: Desk, desks: Desks, totalLoad: number): number {
  return Math.ceil(((1 + boundExcess) * totalLoad * desk.holder.weight) / desks.weight);
}

const chosenBy: Readonly<Record<Strategy, (choice: Choice) => Desk>> = Object.freeze({
  random: ({ work, open, turn }) => open[hash(`${turn}`, work.name) % open.length]!,

  "round-robin": ({ open, turn }) => open[turn % open.length]!,

  /**
   * The rule of nginx: each turn a holder's credit grows by its weight, and whoever has most pays what all gained. After n turns the credit is n * weight - own turns *
   * all weights, so what each holds says it; nothing has to be remembered.
   */
  "smooth-weighted": ({ open, desks }) => {
    let turns = 1;
    for (const { work } of desks.all) turns += work.length;
    return best(open, ({ holder, work }) => turns * holder.weight - work.length * desks.weight);
  },

  "least-loaded": ({ work, open }) => best(open, (desk) => -loadWith(work, desk)),

  /** Mitzenmacher 2001: of two drawn at random the one with less to do. */
  "two-choices": ({ work, open, turn }) => {
    const first = hash(`${turn}`, work.name) % open.length;
    if (open.length === 1) return open[0]!;
    const second = (first + 1 + (hash(work.name, `${turn}`) % (open.length - 1))) % open.length;
    return best([open[first]!, open[second]!], (desk) => -loadWith(work, desk));
  },

  /**
   * Thaler and Ravishankar 1998, weighted (-weight / ln h), and bounded as Mirrokni, Thorup and Zadimoghaddam 2018 bound consistent hashing: the highest score among
   * those that stay within the bound. Where constraints leave only desks beyond it, the one that goes least beyond: work that is not done is worse.
   */
  rendezvous: ({ work, open, desks, totalLoad }) => {
    const within = open.filter((desk) => desk.load + work.load <= boundOf(desk, desks, totalLoad));
    if (within.length === 0) return best(open, (desk) => -loadWith(work, desk));
    return best(within, ({ holder }) => score(work.name, holder));
  },
});

/** Of a weighted rendezvous. */
export function score(work: string, holder: { readonly name: string; readonly weight: number }): number {
  return -holder.weight / Math.log(fraction(work, holder.name));
}

function loadWith(work: Work, { load, holder }: Desk): number {
  return (load + work.load) / holder.weight;
}

/** The first of those with the highest value. */
function best(desks: readonly Desk[], worth: (desk: Desk) => number): Desk {
  let found = desks[0]!;
  let highest = worth(found);
  for (let i = 1; i < desks.length; i++) {
    const value = worth(desks[i]!);
    if (value <= highest) continue;
    found = desks[i]!;
    highest = value;
  }
  return found;
}
