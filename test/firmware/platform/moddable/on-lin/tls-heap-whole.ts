/** The whole board with ten pipelines beside a leader, over TLS and without it: what that takes of its heap. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createServer } from "node:tls";
import type { ModdableSdk } from "../../../../../host-tools/builder/moddable.ts";
import { makeAuthority, makeHostCertificate } from "../../../../../host-tools/keys/authority.ts";
import { writeLinValues } from "../../../../../host-tools/provisioner/lin-values.ts";
import { type MemberSecrets, writeMemberFile } from "../../../../../host-tools/security/member-file.ts";
import { TestRoot } from "../../../../members.ts";
import { reservedPort } from "../../../../reserved-port.ts";
import { peakBytes, sentence, toldIn } from "./heap-told.ts";
import { givenValues } from "./key-values.ts";
import { LeadProcess } from "./lead-process.ts";
import { compileRunner, LinProcess } from "./lin-process.ts";
import { buildProbe } from "./probe-image.ts";
import type { Seen } from "./prove.ts";

const workSeconds = 20;
/** What the whole firmware of a board may have, and three quarters of its stack: docs/budget.md. */
const heapBytesMax = 65_536;
const stackSlotsMax = 576;

/** As the budget's: each once a second, all report. */
const swarmFile = `import { board, output, sense, setting, swarm } from "covey";
const metrics = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"] as const;
export default swarm("house", {
  settings: { "fan.duty": setting.number({ unit: "%", min: 0, max: 100, initial: 20 }) },
  boards: {
    hall: board("esp32c3-devkit", {
      sense: metrics.map((name) => sense("memory.used", { every: "1s" }).median(5).mean("10s").deadband(0.1, { atLeastEvery: "1m" }).as(\`load.\${name}\`)),
      outputs: { fan: output.pwm({ pin: 4, safe: 0, follows: "fan.duty" }) },
    }),
  },
});
`;

export async function proveWholeTlsHeap(sdk: ModdableSdk, folder: string, seen: Seen): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "swarm.ts"), swarmFile);
  const [mqttPort, tlsPort] = [await reservedPort(), await reservedPort()];
  const authority = makeAuthority("house", Date.now());
  const { privateKey, certificates } = makeHostCertificate(authority, "main", [], Date.now());
  const inFront = createServer({ key: privateKey, cert: certificates }, (socket) => {
    const behind = connect(mqttPort, "127.0.0.1");
    for (const [from, to] of [
      [socket, behind],
      [behind, socket],
    ] as const) {
      from
        .on("error", () => {})
        .on("close", () => to.destroy())
        .pipe(to);
    }
  });
  inFront.listen(tlsPort, "127.0.0.1");
  await once(inFront, "listening");
  const root = new TestRoot("house");
  const memberFile = join(folder, "main.json");
  writeMemberFile(memberFile, root.issue("host", "main"));
  const member: MemberSecrets = root.issue("board", "hall");
  const runner = compileRunner(sdk.folder, folder);
  const leader = await LeadProcess.start(folder, mqttPort, memberFile);
  try {
    for (const how of ["plain", "TLS"] as const) {
      const port = how === "TLS" ? tlsPort : mqttPort;
      const program = await buildProbe(sdk, folder, {
        program: "tls-heap-board.js",
        given: {},
        tls: how === "TLS",
        natives: ["heap-figures"],
      });
      const flash = join(folder, `flash-${how}`);
      const given = how === "TLS" ? { ...member, authority: authority.certificate } : member;
      writeLinValues(flash, givenValues(given, `main=127.0.0.1:${port}`));
      const board = new LinProcess(runner, program, flash);
      try {
        await board.until("info: joined");
        for (let second = 0; second < workSeconds; second += 5) {
          await leader.set("fan.duty", 20 + second);
          await board.until(`pin 4: ${20 + second} %`);
          await sleep(5_000);
        }
        const told = toldIn(board.lines).map(([, figures]) => figures);
        const most = told.reduce((one, other) => (peakBytes(other) > peakBytes(one) ? other : one));
        seen(`${how}, at its fullest: ${sentence(most)}`);
        seen(`${how}, in the end: ${sentence(told.at(-1)!)}; its image has ${statSync(program).size} B`);
        // With slots as large as a chip's the figures are a chip's.
        if (most.slotBytes === 16)
          assert(peakBytes(most) < heapBytesMax, `It peaks at ${peakBytes(most)} B.`);
        assert(
          told.at(-1)!.stackSlots! < stackSlotsMax,
          `Its stack peaks at ${told.at(-1)!.stackSlots} slots.`,
        );
      } finally {
        await board.kill();
      }
    }
  } finally {
    await leader.stop();
    inFront.close();
  }
}
