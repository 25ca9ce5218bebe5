/** A swarm cut to its first boards, or grown by repeating them: for `covey sim --boards N`. */
import type { BoardDefinition, SwarmDefinition } from "../swarm-file/definition.ts";

/**
 * The swarm with exactly `count` boards (1 or more). Boards beyond those of the file are copies of them, one round after the other, as
 * learners: `north-2` after `north`, `north-3` in the next round, or the next number that no board has.
 */
export function withBoards(definition: SwarmDefinition, count: number): SwarmDefinition {
  const originals = Object.entries(definition.boards);
  const boards: Record<string, BoardDefinition> = Object.fromEntries(originals.slice(0, count));
  const taken = new Set(Object.keys(definition.boards));
  const lastNumber = new Map<string, number>();
  for (let i = originals.length; i < count; i++) {
    const [name, board] = originals[i % originals.length]!;
    let number = lastNumber.get(name) ?? 1;
    do number++;
    while (taken.has(`${name}-${number}`));
    lastNumber.set(name, number);
    taken.add(`${name}-${number}`);
    boards[`${name}-${number}`] = board;
  }
  return { ...definition, boards, voters: definition.voters.filter((voter) => Object.hasOwn(boards, voter)) };
}
