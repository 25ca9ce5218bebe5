/** Run under Node as the CLI is: prints what each swarm file named on the command line loads to, as one JSON array. */
import { SwarmFileError } from "../../../host-tools/swarm-file/diagnostics.ts";
import { loadSwarm } from "../../../host-tools/swarm-file/load.ts";

const results = [];
for (const file of process.argv.slice(2)) {
  try {
    results.push({ definition: await loadSwarm(file) });
  } catch (error) {
    if (!(error instanceof SwarmFileError)) throw error;
    results.push({ mistakes: error.lines });
  }
}
process.stdout.write(JSON.stringify(results));
