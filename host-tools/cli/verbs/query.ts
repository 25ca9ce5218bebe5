/** `covey query`: a question to the boards, answered from what they keep. */
import type { QueryAnswer } from "../../leader/api/types/queries.ts";
import { Failed } from "../failure.ts";
import { queryLines } from "../query-lines.ts";
import { query as parameters, SwarmClient, type SwarmOptions, swarmOptions } from "../swarm-client.ts";
import type { Verb } from "../verb.ts";

export const query: Verb<SwarmOptions> = {
  usage: "query <question>",
  summary: "ask the boards for a mean, an extreme or a percentile of the last while",
  details:
    'FUNCTION(METRIC) [by board|model|all] over DURATION; functions are mean, min, max, count, sum, stddev and p1 to p99. Boards answer of metrics that swarm.ts has them keep (.keep("1h")).',
  examples: [
    'covey query "mean(temperature) by board over 10m"',
    'covey query "p95(temperature) over 1h" --json',
  ],
  options: swarmOptions(),
  async run(terminal, options, [question]) {
    const swarm = SwarmClient.find(options);
    const answer = await swarm.get<QueryAnswer>(`/api/query${parameters({ q: question })}`);
    for (const line of queryLines(answer, terminal)) terminal.line(line);
    terminal.result(answer);
    if (answer.answered === 0)
      throw new Failed("No board answered; covey status shows which are connected.", "timeout");
    return 0;
  },
};
