/** Runs a few lines of JavaScript on a real board, over a preloaded core, and tells what came of them. */
import { buildXsHost, type XsHost } from "../../../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../../../host-tools/simulator/xs-host/bytecode.ts";
import { BoardGone, XsProcess } from "../../../../host-tools/simulator/xs-host/process.ts";

/** The first build takes 10 to 25 s on two cores; later ones come from the cache. */
export const BUILD_TIMEOUT_MS = 180_000;

let host: Promise<XsHost> | undefined;

export function sharedHost(): Promise<XsHost> {
  host ??= buildXsHost();
  return host;
}

/** A board's main module: each turn evaluates `body` (which may `return`) and tells its parent the outcome. */
function mainModule(exportedNames: readonly string[], body: string): string {
  return `
    import { ${exportedNames.join(", ")} } from "core";
    const tell = (text) => {
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
      host.call(bytes);
    };
    const body = () => { ${body} };
    host.turn = () => {
      let outcome;
      try {
        outcome = String(body());
      } catch (error) {
        outcome = "throws " + error;
      }
      tell(outcome);
      host.collect();
    };
  `;
}

/**
 * @param core source of the preloaded module; its exports are in scope of `body`
 * @returns what `body` returned, or "throws ..." or "dies: ...", in each of two turns with a collection between them
 */
export async function probe(core: string, body: string): Promise<string[]> {
  const host = await sharedHost();
  const names = [...core.matchAll(/^\s*export (?:async )?(?:class|const|let|function\*?) (\w+)/gm)].map(
    (m) => m[1]!,
  );
  const outcomes: string[] = [];
  const board = new XsProcess({
    host,
    core: await compileModule(host, "core", core),
    main: await compileModule(host, "main", mainModule(names, body)),
    onCall: (bytes) => {
      outcomes.push(Buffer.from(bytes).toString("latin1"));
      return new Uint8Array(0);
    },
  });
  try {
    await board.turn(0);
    await board.turn(1);
    await board.stop();
  } catch (error) {
    if (!(error instanceof BoardGone)) throw error;
    outcomes.push(`dies: ${error.exit.reason}: ${error.exit.message}`);
  }
  return outcomes;
}
