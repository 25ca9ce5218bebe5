/**
 * The frozen-core check: finds what works in Node but throws, crashes or costs heap once the core is linked into flash.
 *
 * It reads the core as the bundler joined it, before minifying, so it sees one module with every name resolved, and maps
 * each finding back to the line that a person wrote. The Moddable linker says nothing about most of these; a board says
 * it by stopping.
 *
 * Run it with `node host-tools/bundler/frozen-check.ts [CORE_FILE]`: one line for each finding, exit code 1 if there are
 * any. Without a file it checks all that is preloaded, the core and the main for the SDK.
 */
import { SourceMap } from "node:module";
import { join } from "node:path";
import { parse } from "acorn";
import { BundleError, type JoinedModule, joinCore, joinMain, projectRoot } from "./bundle.ts";
import { engineLimits } from "./engine-limits.ts";
import { type Complaint, type Finding, formatFinding } from "./finding.ts";
import { frozenWrites } from "./frozen-writes.ts";
import { linkTime } from "./link-time.ts";
import { moduleBindings } from "./syntax-tree.ts";

export { type Finding, formatFinding } from "./finding.ts";

/** Globals that the Moddable SDK adds to the engine's own. */
const moddableGlobals = ["native", "trace"];

/**
 * Checks the core whose entry is `coreFile` (the firmware's own unless told). Findings come in the order of the joined
 * core; none means that the core freezes.
 *
 * @throws BundleError when the core does not bundle
 */
export async function checkFrozen(
  coreFile: string = join(projectRoot, "firmware/core.ts"),
): Promise<Finding[]> {
  return check(await joinCore(coreFile), []);
}

/** Checks the main for the Moddable SDK, which `manifest.json` preloads like the core. */
export async function checkFrozenMain(): Promise<Finding[]> {
  return check(await joinMain("moddable"), moddableGlobals);
}

function check(joined: JoinedModule, platformGlobals: readonly string[]): Finding[] {
  const program = parse(joined.code, { ecmaVersion: 2022, sourceType: "module", locations: true });
  const bindings = moduleBindings(program);
  const complaints = [
    ...linkTime(program, bindings),
    ...frozenWrites(program, bindings),
    ...engineLimits(program, platformGlobals),
  ];
  complaints.sort((left, right) => left.node.start - right.node.start);
  return locate(complaints, joined);
}

/** Gives each complaint the file and line of its source. */
function locate(complaints: readonly Complaint[], joined: JoinedModule): Finding[] {
  const map = new SourceMap(JSON.parse(joined.map));
  return complaints.map(({ node, what, why, instead }) => {
    const place = node.loc!.start;
    const entry = map.findEntry(place.line - 1, place.column);
    const isMapped = "originalSource" in entry;
    return {
      file: isMapped ? entry.originalSource : "bundle.js",
      line: isMapped ? entry.originalLine + 1 : place.line,
      what,
      why,
      instead,
    };
  });
}

if (import.meta.main) {
  try {
    const coreFile = process.argv[2];
    const findings = await checkFrozen(coreFile);
    if (coreFile === undefined) findings.push(...(await checkFrozenMain()));
    for (const finding of findings) console.error(formatFinding(finding));
    process.exitCode = findings.length === 0 ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BundleError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}
