/** Several hosts and voting boards as they are deployed: real processes, killed without warning; real XS boards. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import type { LogEntry } from "../../host-tools/leader/api/types/log.ts";
import type { SetResult, Setting } from "../../host-tools/leader/api/types/settings.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { runCovey, sleep } from "./running-swarm.ts";

const definition = (hosts: string, voters: string, boards: string) => `
import { board, output, setting, swarm } from "covey";
const fan = () => board("esp32c3-devkit", { sense: [], outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) } });
export default swarm("deployed", {
  hosts: ${hosts},
  voters: ${voters},
  settings: {
    "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }),
    counter: setting.number({ unit: "", min: 0, max: 1e6, initial: 0 }),
  },
  boards: { ${boards} },
});
`;
const twoHosts = definition('["a", "b"]', '["v1", "v2", "v3"]', "v1: fan(), v2: fan(), v3: fan(), l1: fan()");
const threeHosts = definition('["a", "b", "c"]', "[]", "l1: fan(), l2: fan(), l3: fan()");

let swarm: DeployedSwarm;

afterAll(() => swarm?.end());

/** Processes start slowly where many other things run. */
const patient = { timeout: 150_000 };

/** Sets the counter to 1, 2, 3 ... as a client that repeats what it has no answer to, until told to end. */
class Stream {
  readonly acknowledged = new Map<number, number>();
  #isEnding = false;
  readonly #ended: Promise<void>;

  constructor(client: SwarmClient, first: number) {
    this.#ended = this.#run(client, first);
  }

  /** The last value; all are acknowledged. */
  async end(): Promise<number> {
    this.#isEnding = true;
    await this.#ended;
    return Math.max(...this.acknowledged.keys());
  }

  async #run(client: SwarmClient, first: number): Promise<void> {
    for (let value = first; !this.#isEnding; value++) {
      const { commandId } = await client.ask<Setting>("/api/settings/counter");
      const { index } = await client.put<SetResult>("/api/settings/counter", { value }, commandId);
      this.acknowledged.set(value, index);
    }
  }
}

/** Each acknowledged value stands in the log where it was said to be, and nowhere else. */
async function expectOnce(client: SwarmClient, { acknowledged }: Stream): Promise<void> {
  const indexes = [...acknowledged.values()];
  const entries = await client.get<LogEntry[]>(`/api/log?from=${Math.min(...indexes)}&limit=1000`);
  for (const [value, index] of acknowledged) {
    const found = entries.filter(({ text }) => text === `counter = ${value}`);
    expect({ value, at: found.map((entry) => entry.index) }).toEqual({ value, at: [index] });
  }
}

const client = () => SwarmClient.find({ url: swarm.urls(), state: swarm.folder });

describe("two hosts and three voting boards", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(twoHosts);
    await swarm.start("a", "b");
    await swarm.untilSettled(60_000);
  }, patient.timeout);

  it("either host dies under load; nothing acknowledged is lost or made twice", patient, async () => {
    let next = 1;
    // First whoever leads, then the one that took over, then one that follows.
    for (const whom of ["leader", "leader", "follower"] as const) {
      const stream = new Stream(client(), next);
      await sleep(300);
      const { leader, hosts } = (await swarm.status())!;
      const leads = hosts.find(({ memberId }) => memberId === leader.id)!.name;
      const victim = whom === "leader" ? leads : hosts.find(({ name }) => name !== leads)!.name;
      const before = stream.acknowledged.size;
      await swarm.kill(victim);
      const deadline = Date.now() + 15_000;
      while (stream.acknowledged.size < before + 20 && Date.now() < deadline) await sleep(20);
      expect(stream.acknowledged.size).toBeGreaterThanOrEqual(before + 20);
      const last = await stream.end();
      await expectOnce(client(), stream);
      const { stdout, code } = await runCovey(["get", "counter", "--url", swarm.urls()], swarm.folder);
      expect({ stdout, code }).toEqual({ stdout: `${last}\n`, code: 0 });
      await swarm.start(victim);
      const status = await swarm.untilSettled();
      expect(status.violations).toEqual([]);
      next = last + 1;
    }
  });

  it(
    "both hosts down: whichever comes back first goes on with the boards alone, and the other follows",
    patient,
    async () => {
      let duty = 30;
      for (const first of ["a", "b"]) {
        const second = first === "a" ? "b" : "a";
        await client().put("/api/settings/fan.duty", { value: ++duty }, undefined);
        await swarm.kill(second, first);
        await swarm.start(first);
        expect(await client().get<Setting>("/api/settings/fan.duty")).toMatchObject({ value: duty });
        await client().put("/api/settings/fan.duty", { value: ++duty }, undefined);
        await swarm.start(second);
        const status = await swarm.untilSettled();
        expect(status.settings["fan.duty"]!.value).toBe(duty);
        const fans = status.boards.map(({ outputs }) => outputs[0]?.value);
        await swarm.until(`all fans at ${duty}: ${fans}`, ({ boards }) =>
          boards.every(({ outputs }) => outputs[0]?.value === duty),
        );
        expect(status.violations).toEqual([]);
      }
    },
  );

  it(
    "both hosts' folders are gone: covey recover rebuilds one from the boards, and the other joins",
    patient,
    async () => {
      await client().put("/api/settings/fan.duty", { value: 71 }, undefined);
      const before = await swarm.untilSettled();
      await swarm.kill("a", "b");
      swarm.forget("a");
      swarm.forget("b");

      const recover = [
        "recover",
        ...swarm.placeOf("b").filter((_, i, words) => ![i, i - 1].some((at) => words[at] === "--http-port")),
      ];
      expect(await runCovey(recover, swarm.folder)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--yes"),
      });
      const { code, stdout, stderr } = await runCovey([...recover, "--yes", "--json"], swarm.folder);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const report = JSON.parse(stdout);
      expect(report).toMatchObject({ isComplete: true, votersNotHeard: expect.any(Array) });
      expect(report.lastIndex).toBeGreaterThanOrEqual(before.leader.commitIndex);

      await swarm.start("b");
      expect(await client().get<Setting>("/api/settings/fan.duty")).toMatchObject({ value: 71 });
      await swarm.start("a");
      const after = await swarm.untilSettled(60_000);
      expect(after.settings["fan.duty"]!.value).toBe(71);
      expect(after.violations).toEqual([]);
      expect(after.boards.map(({ memberId }) => memberId)).toEqual(
        before.boards.map(({ memberId }) => memberId),
      );
      await client().put("/api/settings/fan.duty", { value: 72 }, undefined);
    },
  );
});

it(
  "three hosts lead boards that only follow: any host dies, and one whose folder is lost joins again as someone new",
  patient,
  async () => {
    await swarm.end();
    swarm = await DeployedSwarm.deploy(threeHosts);
    await swarm.start("a", "b", "c");
    const { leader } = await swarm.untilSettled(60_000);
    const victim = leader.id.split(".")[0]!;
    await client().put("/api/settings/fan.duty", { value: 61 }, undefined);
    await swarm.kill(victim);
    swarm.forget(victim);
    await client().put("/api/settings/fan.duty", { value: 62 }, undefined);
    await swarm.until("all boards have it", ({ boards, leader: now }) =>
      boards.every(({ appliedIndex, link }) => link === "up" && appliedIndex >= now.commitIndex),
    );
    await swarm.start(victim);
    await swarm.until("its new id votes in the place of the old one", ({ leader: { voters } }) => {
      return voters.length === 3 && !voters.includes(leader.id);
    });
    const after = await swarm.untilSettled();
    const ids = after.leader.voters;
    expect(ids.map((id) => id.split(".")[0]).sort()).toEqual(["a", "b", "c"]);
    expect(after.settings["fan.duty"]!.value).toBe(62);
    expect(after.violations).toEqual([]);
  },
);
