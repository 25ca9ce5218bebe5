/** The flash that boards have for the log and the state, by the files of their kinds. */
import type { SwarmDefinition } from "../../swarm-file/definition.ts";

/** Of the board that has the least. A kind that has no file counts as the smallest that may be; for a swarm without boards, no limit. */
export async function smallestLogBytes({ boards }: Pick<SwarmDefinition, "boards">): Promise<number> {
  // It brings a whole checker of JSON with it, which a host does not need otherwise.
  const { loadBoards, logBytes, logBytesMin } = await import("../../boards/boards.ts");
  const kinds = loadBoards();
  const sizes = Object.values(boards).map(({ model }) => {
    const kind = kinds.get(model);
    return kind === undefined ? logBytesMin : logBytes(kind);
  });
  return Math.min(...sizes);
}
