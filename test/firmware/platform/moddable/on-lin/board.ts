/** The whole board on `lin`: it joins, votes, follows, senses, reports, and knows all of it after a power cut. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import type { StoredValues } from "../../../../../host-tools/provisioner/board-settings.ts";
import { writeLinValues } from "../../../../../host-tools/provisioner/lin-values.ts";
import { writeMemberFile } from "../../../../../host-tools/security/member-file.ts";
import { storedKeys } from "../../../../../protocols/provisioning/stored.ts";
import { runCovey } from "../../../../end-to-end/running-swarm.ts";
import { TestRoot } from "../../../../members.ts";
import { reservedPort } from "../../../../reserved-port.ts";
import { givenValues } from "./key-values.ts";
import { LeadProcess } from "./lead-process.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import type { Seen } from "./prove.ts";

/** The leader and the board vote, so that nothing is committed without the board's flash. */
const swarmFile = `import { board, output, sense, setting, swarm, when } from "covey";
export default swarm("house", {
  voters: ["hall"],
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  boards: {
    hall: board("esp32c3-devkit", {
      sense: [sense("memory.used", { every: "100ms" }).median(3).mean("500ms")],
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
      rules: [when("memory.used").above(99, { hysteresis: 1 }).set("fan", 90)],
    }),
  },
});
`;

export async function proveBoard(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "swarm.ts"), swarmFile);
  const mqttPort = await reservedPort();
  const program = await build(folder);
  seen("built for lin, with no warning of the linker");
  const runner = compileRunner(sdk.folder, folder);
  const flash = join(folder, "flash");
  const powerOn = () => new LinProcess(runner, program, flash);
  const root = new TestRoot("house");
  const memberFile = join(folder, "main.json");
  writeMemberFile(memberFile, root.issue("host", "main"));
  const lead = () => LeadProcess.start(folder, mqttPort, memberFile);

  const given = givenValues(root.issue("board", "hall"), `main=127.0.0.1:${mqttPort}`);
  writeLinValues(flash, given);

  let leader = await lead();
  let board = powerOn();
  try {
    const formatted = await board.until("info: formatted member=hall.");
    const member = /member=(\S+)/.exec(formatted)![1]!;
    await board.until("info: joined");
    await board.until("pin 4: 20 %");
    seen(`a session with its host is up: joined as ${member}, and its output follows the setting`);

    await leader.set("fan.duty", 40);
    await board.until("pin 4: 40 %");
    const status = await leader.until(
      ({ boards: [hall], leader: { commitIndex } }) =>
        hall?.role === "voter" && hall.appliedIndex === commitIndex && hall.readings.length === 1,
    );
    const hall = status.boards[0]!;
    const reading = hall.readings[0]!.value!;
    assert(reading > 1 && reading < 99, `It reads ${reading} % of its memory.`);
    const { stackPeakSlots } = hall.device!;
    assert(stackPeakSlots > 100 && stackPeakSlots < 800, `Its stack's peak is ${stackPeakSlots} slots.`);
    assert.deepEqual(status.violations, []);
    seen("a set is committed with its vote, applied, and seen at the pin");
    seen(
      `reports: ${reading.toFixed(1)} % of its arena used, heap peak ${hall.heapPeakBytes} B, stack peak ${stackPeakSlots} slots`,
    );

    await leader.stop();
    await board.until("warn: link-lost");
    await board.kill();
    board = powerOn();
    await board.until(`info: recovered member=${member} applied=${hall.appliedIndex}`);
    await board.until("pin 4: 40 %");
    seen("after a power cut it runs what was committed, with no leader there");

    leader = await lead();
    await board.until(`info: joined host=main member=${member}`);
    await leader.set("fan.duty", 55);
    await board.until("pin 4: 55 %");
    seen("a leader comes back: the same member joins, and follows");

    await board.kill();
    await leader.until(({ boards: [hall] }) => hall?.link === "down");
    board = powerOn();
    await board.until(`info: recovered member=${member}`);
    await board.until("pin 4: 55 %");
    await board.until("info: joined");
    await leader.set("fan.duty", 5);
    await board.until("pin 4: 5 %");
    seen("a power cut beside a leader: it recovers, joins and follows");
    assert.deepEqual((await leader.status()).violations, []);
    for (const line of board.lines) assert(!line.startsWith("error:"), line);

    await board.kill();
    writeLinValues(flash, without(given, storedKeys.privateKey, storedKeys.contact));
    board = powerOn();
    await board.until("error: The board has not got a private key; provision it with covey provision.");
    await board.until("error: The board has not got a contact; provision it with covey provision.");
    await board.until("pin 4: 5 %");
    seen("robbed of its key and its contact it says so, and still runs what was committed");

    await board.kill();
    writeLinValues(flash, without(given, storedKeys.contact));
    board = powerOn();
    await board.until("error: The board has not got a contact");
    await board.until("pin 4: 5 %");
    await sleep(2_000);
    assert(!board.lines.some((line) => line.includes("network-up")), board.lines.join("\n"));
    seen("without a contact it runs what was committed, and waits");

    await board.kill();
    writeLinValues(flash, new Map());
    board = powerOn();
    await board.until("The board has not got an identity; provision it with covey provision.");
    await sleep(500);
    writeLinValues(flash, given);
    await board.kill();
    board = powerOn();
    await board.until(`info: recovered member=${member}`);
    await board.until("info: joined");
    seen("without an identity it says so and touches nothing; given it again, it is the same member");
  } finally {
    await board.kill();
    await leader.stop();
  }
}

function without(values: StoredValues, ...keys: readonly string[]): StoredValues {
  return new Map([...values].filter(([key]) => !keys.includes(key)));
}

async function build(folder: string): Promise<string> {
  const words = ["build", "swarm.ts", "--board", "hall", "--platform", "lin", "--json"];
  const { code, stdout, stderr } = await runCovey(words, folder);
  if (code !== 0) throw new Error(`covey build: ${stderr}`);
  return JSON.parse(stdout).image.file;
}
