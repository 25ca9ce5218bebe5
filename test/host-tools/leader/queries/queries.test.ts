/** Queries over real hosts and raw boards that answer from summaries of their own. */
import { expect, test } from "vitest";
import type { QueryAnswer } from "../../../../host-tools/leader/api/types/queries.ts";
import type { SwarmDefinition } from "../../../../host-tools/swarm-file/definition.ts";
import { answerToWire, type BoardQuery } from "../../../../protocols/query/messages.ts";
import { Summary } from "../../../../protocols/query/summary.ts";
import { definition, eventually, leaderUnderTest } from "../leader-under-test.ts";
import type { RawBoard } from "../raw-board.ts";
import { SeveralHosts } from "../several-hosts.ts";

const keeping: SwarmDefinition = {
  ...definition,
  boards: Object.fromEntries(
    Object.entries(definition.boards).map(([name, board]) => {
      const pipelines = board.program.pipelines.map((pipeline) => ({ ...pipeline, keepMs: 3_600_000 }));
      return [name, { ...board, program: { ...board.program, pipelines } }];
    }),
  ),
};

/** Answers each query with what it was asked for, of these values. */
function answering(board: RawBoard, values: readonly number[]): BoardQuery[] {
  const asked: BoardQuery[] = [];
  board.onQuery = (query) => {
    asked.push(query);
    const summary = new Summary();
    for (const value of values) summary.add(value);
    board.publish("query", answerToWire({ id: query.id, coveredMs: query.windowMs, summary }));
  };
  return asked;
}

const path = (question: string) => `/api/query?q=${encodeURIComponent(question)}`;

test("boards at either host are asked, whichever host is, and their answers are merged", async () => {
  const names = ["a", "b"];
  const swarmWith = { ...keeping, hosts: names, voters: [] };
  const swarm = await SeveralHosts.start(names, [], () => ({ definition: swarmWith }));
  await eventually(() => swarm.host("a").status().leader.voters.length === 2, 15_000);
  const [north] = await swarm.join("north-1", ["a"]);
  const [south] = await swarm.join("south-1", ["b"]);
  answering(north!, [10, 20, 30]);
  const asked = answering(south!, [40]);
  await eventually(() =>
    names.every(
      (name) =>
        swarm
          .host(name)
          .status()
          .boards.filter(({ link }) => link === "up").length === 2,
    ),
  );
  for (const host of names) {
    const mean = await swarm.ask<QueryAnswer>(host, path("mean(temperature) over 10m"));
    expect(mean).toMatchObject({
      rows: [{ group: "all", value: 25, error: 0, samples: 4 }],
      ...{ unit: "°C", boards: 3, answered: 2, silent: ["north-2"], coveredMs: [600_000, 600_000] },
    });
  }
  expect(asked).toEqual(Array(2).fill({ id: expect.any(Number), metric: "temperature", windowMs: 600_000 }));
  const max = await swarm.ask<QueryAnswer>("b", path("max(temperature) by board over 1m"));
  expect(max.rows.map(({ group, value }) => [group, value])).toEqual([
    ["north-1", 30],
    ["south-1", 40],
  ]);
  const median = await swarm.ask<QueryAnswer>("a", path("p50(temperature) by model over 1m"));
  expect(median.rows[0]).toMatchObject({ group: "esp32c3-devkit", samples: 4 });
  expect(Math.abs(median.rows[0]!.value! - 20)).toBeLessThanOrEqual(median.rows[0]!.error);
  swarm.expectNoViolations();
}, 40_000);

test("a board that does not answer is waited for, not for ever, and named", async () => {
  const host = await leaderUnderTest({ definition: keeping });
  answering(await host.join("north-1"), [5]);
  const mute = await host.join("north-2");
  mute.onQuery = () => {};
  const startedMs = performance.now();
  const answer: QueryAnswer = JSON.parse(
    (await host.request(path("stddev(temperature) by board over 1m"))).body,
  );
  expect(performance.now() - startedMs).toBeGreaterThan(1_900);
  expect(answer).toMatchObject({ boards: 3, answered: 1, silent: ["north-2", "south-1"] });
  expect(answer.rows).toEqual([{ group: "north-1", value: null, error: 0, samples: 1 }]);
});

test("what no board keeps, or not for so long, is told before any is asked; so is what is no query", async () => {
  const host = await leaderUnderTest({ definition: keeping });
  const refused = async (question: string) => {
    const { status, body } = await host.request(path(question));
    return [status, JSON.parse(body).error.message];
  };
  expect(await refused("mean(humidity) over 1m")).toEqual([
    404,
    'No board keeps humidity for queries; swarm.ts says so with .keep("1h"), and has temperature kept.',
  ]);
  expect((await refused("mean(temperature) over 2h"))[1]).toBe(
    "temperature is kept for 60 minutes; ask for no more, or keep it longer.",
  );
  expect(await refused("mean(temperature) of 2h")).toEqual([
    400,
    'At character 19: "of" stands where by or over is wanted.',
  ]);
});
