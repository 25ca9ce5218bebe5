/** Several boards at once, each on its own port; what fails on one does not stop the others. */
import { FlashProblem, problem } from "./problems.ts";
import { attachedDevices } from "./serial/device-wire.ts";

export type Outcome<Result> =
  | { readonly port: string; readonly result: Result }
  | { readonly port: string; readonly problem: FlashProblem };

/** In the order of `ports`. @throws what is not a FlashProblem, when all have ended */
export async function onEach<Result>(
  ports: readonly string[],
  act: (port: string) => Promise<Result>,
): Promise<Outcome<Result>[]> {
  const settled = await Promise.allSettled(ports.map(act));
  return settled.map((each, i) => {
    const port = ports[i]!;
    if (each.status === "fulfilled") return { port, result: each.value };
    if (each.reason instanceof FlashProblem) return { port, problem: each.reason };
    throw each.reason;
  });
}

/** The ports that are meant. @param named by the user @throws {FlashProblem} no-board, several-boards */
export async function choosePorts(named: readonly string[], all: boolean): Promise<string[]> {
  if (named.length > 0) return [...new Set(named)];
  const attached = (await attachedDevices()).map(({ path }) => path);
  if (attached.length === 0) throw problem.noBoard();
  if (attached.length > 1 && !all) throw problem.severalBoards(attached);
  return attached;
}
