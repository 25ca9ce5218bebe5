/** Registers as they are deployed: two hosts of their own, three real XS boards that go on agreeing when both hosts are gone, power cuts. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SwarmClient } from "../../host-tools/cli/swarm-client.ts";
import type {
  RegisterChanges,
  RegisterRead,
  RegisterStatus,
  RegistersStatus,
} from "../../host-tools/leader/api/types/registers.ts";
import { DeployedSwarm } from "./deployed-swarm.ts";
import { runCovey, sleep } from "./running-swarm.ts";

const boards = ["n1", "n2", "n3"];
const source = `
import { board, output, register, sense, swarm, when } from "covey";
const member = () => board("esp32c3-devkit", {
  sense: [sense("temperature", { every: "200ms" })],
  outputs: {
    horn: output.digital({ pin: 4, safe: false, follows: "emergency" }),
    fan: output.digital({ pin: 5, safe: false }),
  },
  rules: [
    when("temperature").above(60, { hysteresis: 10, for: "1s" }).propose("emergency", true),
    when("temperature").above(-40, { as: "coordinator" }).set("fan", true),
  ],
});
export default swarm("agreeing", {
  hosts: ["a", "b"],
  voters: [],
  boards: { n1: member(), n2: member(), n3: member() },
  registers: {
    boards: ["n1", "n2", "n3"],
    names: {
      emergency: register.boolean({ initial: false }),
      coordinator: register.coordinator(),
      note: register.text({ initial: "" }),
    },
  },
});
`;
/** Processes start slowly where many other things run. */
const patient = { timeout: 150_000 };

let swarm: DeployedSwarm;
const client = () => SwarmClient.find({ url: swarm.urls(), state: swarm.folder });
const command = (...args: string[]) => runCovey([...args, "--url", swarm.urls()], swarm.folder);

/** Throws what it last saw. */
async function until<What>(what: string, look: () => What | Promise<What>, accept: (seen: What) => boolean) {
  const deadlineMs = performance.now() + 60_000;
  let seen: What | undefined;
  while (performance.now() < deadlineMs) {
    try {
      seen = await look();
      if (accept(seen)) return seen;
    } catch {
      // Nobody leads yet.
    }
    await sleep(100);
  }
  throw new Error(`not seen: ${what}; ${JSON.stringify(seen)}\n${swarm.said}`);
}

/** Boards that drive this output. */
const driving = (output: string, among = boards) => among.filter((board) => swarm.pin(board, output) === 1);

describe("registers on three XS boards", () => {
  beforeAll(async () => {
    swarm = await DeployedSwarm.deploy(source);
    for (const board of boards) swarm.feed(board, "temperature", 20);
    await swarm.start("a", "b");
    await swarm.untilSettled(60_000);
  }, patient.timeout);
  afterAll(() => swarm?.end());

  it("are changed by a command while hosts are there", patient, async () => {
    const isOpen = ({ group }: RegistersStatus) => group.phase === "open" && group.epoch === 1;
    await until("the group is open", () => client().get<RegistersStatus>("/api/registers"), isOpen);
    const set = await command("register", "set", "note", "north gate", "--json");
    expect(set).toMatchObject({ code: 0 });
    const stale = await command("register", "set", "note", "south gate", "--if-version", "0");
    expect(stale.code).not.toBe(0);
    const copy = await until(
      "the log has it",
      () => client().get<RegisterStatus>("/api/registers/note"),
      ({ version }) => version === 1,
    );
    expect(copy.value).toBe("north gate");
  });

  it("are agreed on without any host: an emergency, and who acts as coordinator", patient, async () => {
    await swarm.kill("a", "b");
    swarm.feed("n2", "temperature", 90);
    await until(
      "all horns",
      () => driving("horn"),
      (on) => on.length === 3,
    );
    swarm.feed("n2", "temperature", 20);
    await until(
      "one fan",
      () => driving("fan"),
      (on) => on.length === 1,
    );
  });

  it("survive the coordinator, which another one replaces, and its coming back", patient, async () => {
    const [first] = driving("fan");
    const others = boards.filter((board) => board !== first);
    const dead = swarm.boards.find(({ name }) => name === first)!;
    await dead.powerOff();
    const [second] = await until(
      "another one's fan",
      () => driving("fan", others),
      (on) => on.length === 1,
    );
    dead.powerOn();
    await until(
      "the horn of the one that is back, and no fan",
      () => [driving("horn"), driving("fan")],
      ([horns, fans]) => horns!.length === 3 && fans!.length === 1 && fans![0] === second,
    );
  });

  it("are in the log when hosts are back, each change once", patient, async () => {
    await swarm.start("a", "b");
    const copies = await until(
      "the log has it all",
      async () => (await client().get<RegistersStatus>("/api/registers")).registers,
      ({ emergency, coordinator }) => emergency?.version === 1 && coordinator?.version === 2,
    );
    expect(copies.emergency).toMatchObject({ value: true, by: "n2" });
    expect(copies.note).toMatchObject({ value: "north gate", version: 1 });
    const [second] = driving("fan");
    expect(copies.coordinator).toMatchObject({ value: second, by: second });
    const { changes } = await until(
      "the history has both coordinators",
      () => client().get<RegisterChanges>("/api/registers/coordinator/changes"),
      (history) => history.changes.length === 2,
    );
    expect(changes.map(({ version }) => version)).toEqual([1, 2]);
    for (const { value, by } of changes) expect(value).toBe(by);
    const now = await command("register", "get", "emergency", "--now", "--json");
    expect(now.code).toBe(0);
    expect(JSON.parse(now.stdout) as RegisterRead).toMatchObject({ value: true, version: 1 });
    const reset = await command("register", "set", "emergency", "off", "--json");
    expect(reset.code).toBe(0);
    await until(
      "no horn",
      () => driving("horn"),
      (on) => on.length === 0,
    );
    expect(swarm.boards.flatMap(({ violations }) => violations)).toEqual([]);
  });
});
