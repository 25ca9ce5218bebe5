/** Alerts from `swarm.ts` to a webhook: `covey sim` in the engine, boards that score how anomalous a recorded series is. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Receiver, secret } from "../host-tools/leader/alerts/receiver.ts";
import { RunningSwarm, runCovey, temporaryFolder } from "./running-swarm.ts";

const { folder, remove } = temporaryFolder();
const receiver = new Receiver();
let swarm: RunningSwarm;

/** A quiet series of one sample a second, that leaps once after a minute and a half. */
function series(): string {
  const rows = Array.from({ length: 400 }, (_, i) => {
    const time = new Date(Date.UTC(2026, 0, 1) + i * 1_000).toISOString();
    return `${time},${20 + Math.sin(i / 7) + (i >= 90 && i < 95 ? 40 : 0)}`;
  });
  return `timestamp,value\n${rows.join("\n")}\n`;
}

beforeAll(async () => {
  await receiver.start();
  writeFileSync(join(folder, "series.csv"), series());
  writeFileSync(
    join(folder, "swarm.ts"),
    `import { alert, board, replay, sense, silent, swarm, when } from "covey";
const temperature = () => sense("temperature", { every: "250ms" });
export default swarm("watched", {
  voters: ["north"],
  boards: {
    north: board("esp32c3-devkit", {
      sense: [temperature().anomaly().as("temperature.strange")],
      simulate: { temperature: replay("series.csv", { speed: 4 }) },
    }),
    south: board("esp32c3-devkit", { sense: [sense("cpu.load", { every: "1s" })] }),
  },
  alerts: {
    strange: alert(when("temperature.strange").above(0.5)),
    silent: alert(silent("5s"), { boards: ["south"] }),
  },
  webhooks: [${JSON.stringify(receiver.url)}],
});
`,
  );
  process.env.COVEY_WEBHOOK_SECRET = `whsec_${Buffer.from(secret).toString("base64")}`;
  swarm = await RunningSwarm.start(folder, [], join(folder, "swarm.ts"));
}, 180_000);

afterAll(async () => {
  delete process.env.COVEY_WEBHOOK_SECRET;
  await swarm?.end();
  await receiver.stop();
  remove();
});

it("an anomaly that a board scored is told, seen and over", { timeout: 240_000 }, async () => {
  const of = (kind: string) =>
    receiver.told.filter(({ type, data }) => type === `alert.${kind}` && data.alert === "strange");
  await swarm.until("the anomaly at the webhook", () => of("firing").length > 0, 150_000);
  expect(of("firing")[0]).toMatchObject({
    isSigned: true,
    data: { board: "north", metric: "temperature.strange" },
  });
  expect(of("firing")[0]!.data.value).toBeGreaterThan(0.5);
  await swarm.until("the end of it", () => of("recovered").length > 0);
  expect(new Set(receiver.ids).size).toBe(receiver.ids.length);
  const { stdout } = await runCovey(["alerts"], folder);
  expect(stdout).toContain("strange is over on north");
  expect(stdout).toContain("2 alerts watched");
});

it("every verb of it works, and says what is wrong", { timeout: 60_000 }, async () => {
  const json = await runCovey(["alerts", "--json"], folder);
  expect(JSON.parse(json.stdout)).toMatchObject({
    watched: 2,
    webhooks: [{ place: new URL(receiver.url).origin }],
  });
  expect(await runCovey(["alerts", "test"], folder)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("took it"),
  });
  expect(await runCovey(["alerts", "ack", "loud"], folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("There is no alert loud; this swarm has strange, silent."),
  });
  expect(await runCovey(["alerts", "mute"], folder)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("There is no action mute; use list, ack or test."),
  });
});
