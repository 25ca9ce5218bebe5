/** What `copies` and `keeps` in `swarm.ts` compile to, and what is said of mistakes in them. */
import { expect, test } from "vitest";
import { loadBoards } from "../../../host-tools/boards/boards.ts";
import { board, sense, swarm, task } from "../../../host-tools/swarm-file/api.ts";
import { compileSwarm } from "../../../host-tools/swarm-file/compile.ts";
import type { BoardPart } from "../../../host-tools/swarm-file/parts.ts";

const models = new Map(
  [...loadBoards()].map(([name, model]) => [
    name,
    // One kind of board has no room.
    name === "esp32-devkit"
      ? { ...model, partitions: model.partitions.filter((one) => one.name !== "series") }
      : {
          ...model,
          partitions: [
            ...model.partitions.filter((one) => one.name !== "series"),
            { name: "series", type: "data", subtype: "0x42", offsetBytes: 0, sizeBytes: 65_536 } as const,
          ],
        },
  ]),
);

const keeper = (
  place: object,
  more: object = {},
  model: "esp32c3-devkit" | "esp32-devkit" = "esp32c3-devkit",
) => board(model, { sense: [], place, ...more });
const reporting = (options: object, metric = "room") =>
  sense("temperature", { every: "1s" })
    .as(metric)
    .report(options as { batch: "1m" });
const keepers = {
  n: keeper({ zone: "north", keeps: true }),
  s: keeper({ zone: "south", keeps: true }),
  e: keeper({ zone: "east", keeps: true }),
};

function compile(boards: Record<string, BoardPart>, more: object = {}) {
  return compileSwarm(swarm("house", { boards: boards as never, ...more }), "/swarm.ts", models);
}

function said(boards: Record<string, BoardPart>, more: object = {}): string {
  try {
    compile(boards, more);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const of = (...sensed: ReturnType<typeof reporting>[]) => board("esp32c3-devkit", { sense: sensed });

test("what is kept of a board, and who keeps", () => {
  const definition = compile({
    ...keepers,
    a: of(reporting({ batch: "1m", copies: 3 }), reporting({ batch: "1m" }, "other")),
  });
  expect(definition.boards.a!.kept).toEqual({ copies: 3, metrics: ["room"] });
  expect(definition.boards.n!.place).toMatchObject({ zone: "north", keeps: true });
  expect(definition.keeping).toEqual({ lostAfterMs: 600_000 });
  // Boards are told nothing of it.
  expect(JSON.stringify(definition.boards.a!.program)).not.toContain("copies");
});

test("a swarm that keeps nothing has no word of it", () => {
  const definition = compile(
    { ...keepers, a: of(reporting({ batch: "1m" })) },
    { keeping: { lostAfter: "1m" } },
  );
  expect(definition).not.toHaveProperty("keeping");
  expect(definition.boards.a).not.toHaveProperty("kept");
});

test("how long a keeper may be gone is said of the whole swarm", () => {
  const boards = { ...keepers, a: of(reporting({ batch: "1m", copies: 2 })) };
  expect(compile(boards, { keeping: { lostAfter: "1h" } }).keeping).toEqual({ lostAfterMs: 3_600_000 });
  expect(said(boards, { keeping: { lostAfter: "1s" } })).toContain("it must be from 5s to 24h");
  expect(said(boards, { keeping: { lost: "1h" } })).toContain('keeping has no "lost"; use "lostAfter".');
  expect(said(boards, { keeping: 3 })).toContain("keeping must be an object");
});

test.each([
  ["no batch", { ...keepers, a: of(reporting({ copies: 2 })) }, "copies are of blocks, so they take a batch"],
  [
    "one copy",
    { ...keepers, a: of(reporting({ batch: "1m", copies: 1 })) },
    "copies must be 2, 3 or 4, not 1.",
  ],
  ["two and a half", { ...keepers, a: of(reporting({ batch: "1m", copies: 2.5 })) }, "not 2.5."],
  [
    "two counts",
    {
      ...keepers,
      a: of(reporting({ batch: "1m", copies: 2 }), reporting({ batch: "1m", copies: 3 }, "other")),
    },
    '"a" asks of "room" 2 copies and of "other" 3 copies',
  ],
  ["no keepers", { a: of(reporting({ batch: "1m", copies: 2 })) }, "and none has another board with keeps"],
  [
    "too few zones",
    {
      n: keepers.n,
      m: keeper({ zone: "north", keeps: true }),
      a: of(reporting({ batch: "1m", copies: 2 })),
    },
    'the board "a" asks for 2 copies, which lie in different zones, and only "north" has another board with keeps',
  ],
  [
    "itself alone in a zone",
    {
      n: keepers.n,
      a: board("esp32c3-devkit", {
        sense: [reporting({ batch: "1m", copies: 2 })],
        place: { zone: "south", keeps: true },
      }),
    },
    'only "north" has another board',
  ],
  ["no zone", { n: keeper({ keeps: true }) }, "who keeps readings needs a zone"],
  ["keeps that is no answer", { n: keeper({ zone: "north", keeps: 3 }) }, "keeps is true or false, not 3."],
  [
    "a keeper that sleeps",
    { n: keeper({ zone: "north", keeps: true }, { sleep: { awake: "10s", every: "10m" } }) },
    '"n" sleeps, so it can\'t keep readings',
  ],
  [
    "a keeper without room",
    { n: keeper({ zone: "north", keeps: true }, {}, "esp32-devkit") },
    'the flash of "esp32-devkit" has no room to keep readings',
  ],
])("is told of %s", (_what, boards, says) => {
  expect(said(boards as Record<string, BoardPart>)).toContain(says);
});

test("a task's readings are not kept", () => {
  const tasks = { watch: task({ sense: [reporting({ batch: "1m", copies: 2 }, "gateway")] }) };
  expect(said({ ...keepers }, { tasks })).toContain("copies are of what a board itself reports");
});
