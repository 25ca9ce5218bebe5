/** Firmware of yesterday: what whoever has an old signed release, an operator's rights, or a leading host can make of it. */
import { afterEach, expect, test, vi } from "vitest";
import { loadBoards } from "../../host-tools/boards/boards.ts";
import { digestText, imageIdOf } from "../../host-tools/leader/images/image-id.ts";
import { Releases } from "../../host-tools/leader/images/releases.ts";
import { nodeCiphers } from "../../host-tools/security/node-ciphers.ts";
import { writeSimulatorImage } from "../../host-tools/simulator/chip/simulator-image.ts";
import { bytecodeOf, compileFirmware } from "../../host-tools/simulator/engines/xs-engine.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { chunkDigests } from "../../protocols/update/chunks.ts";
import { signRelease } from "../../protocols/update/release.ts";
import { propose, type SomeRelease, upload } from "../host-tools/leader/images/some-release.ts";
import { rootOf } from "../host-tools/leader/test-swarm.ts";
import { AttackedSwarm, swarmName } from "./attacked-swarm.ts";

const model = "esp32c3-devkit";
const swarms: AttackedSwarm[] = [];
afterEach(() => {
  vi.restoreAllMocks();
  return Promise.all(swarms.splice(0).map((swarm) => swarm.end()));
}, 60_000);

/** Real firmware of this version, as the swarm's root has signed it. */
async function firmware(sequence: number, version: string): Promise<SomeRelease> {
  const program = await bytecodeOf(await compileFirmware(await buildXsHost(), version));
  const board = loadBoards().get(model)!;
  const image = writeSimulatorImage({ program, board, version, builtAt: new Date(0) });
  const digest = chunkDigests(nodeCiphers, image).slice(0, 32);
  const about = { swarm: swarmName, model, sequence, firmware: version };
  const release = { ...about, sizeBytes: image.length, digest };
  const signed = signRelease(nodeCiphers, rootOf(swarmName).keys.privateKey, release);
  return { image, release, signed, id: imageIdOf(digest), digest: digestText(digest) };
}

test("roll-back of an update: an older signed release is refused by hosts, and by boards where a host puts it through", async () => {
  // Boards that vote restart as soon as it is their turn; others wait for up to a minute.
  const boards = ["north-1", "north-2"];
  const swarm = await AttackedSwarm.start({ boards, voters: boards });
  swarms.push(swarm);
  const [old, two] = [await firmware(1, "0.1.9"), await firmware(2, "0.2.0")];
  const host = swarm.hosts.get("a")!.running!;
  expect(await upload(host, two, two.image)).toMatchObject({ status: 200 });
  expect(await propose(host, two)).toMatchObject({ status: 200 });
  const runs = (sequence: number) =>
    swarm.status.boards.every(
      ({ link, firmware: of }) =>
        link === "up" && of?.version === "0.2.0" && of.update?.sequence === sequence,
    );
  await swarm.until("both boards run release 2", () => runs(2), 180_000);

  // An operator who is allowed to update, and kept an old release.
  expect(await upload(host, old, old.image)).toMatchObject({ status: 409, error: { code: "not-newer" } });
  expect(await propose(host, old)).toMatchObject({ status: 409, error: { code: "not-newer" } });
  const audited = async () => JSON.stringify(await (await fetch(`${host.url}/api/audit`)).json());
  await vi.waitFor(async () => expect(await audited()).toContain("the older release 1"), 15_000);
  expect(swarm.status.violations).toEqual([]);

  // The host that leads was broken into, and leaves its checks out.
  vi.spyOn(Releases.prototype, "isCurrent").mockReturnValue(true);
  expect(await upload(host, old, old.image)).toMatchObject({ status: 200 });
  expect(await propose(host, old)).toMatchObject({ status: 200 });
  await swarm.until(
    "both boards refuse it",
    ({ boards }) => boards.every(({ firmware: of }) => of?.update?.stage === "refused"),
    60_000,
  );
  for (const { firmware: of } of swarm.status.boards) {
    expect(of).toMatchObject({
      version: "0.2.0",
      update: { sequence: 2, reason: expect.stringMatching(/older/) },
    });
  }
  expect(swarm.status.violations).toEqual([
    expect.stringContaining("It is release 1, and release 2 was agreed on before"),
  ]);
  vi.restoreAllMocks();

  // And the swarm is not stuck with it.
  const three = await firmware(3, "0.2.0");
  expect(await upload(host, three, three.image)).toMatchObject({ status: 200 });
  expect(await propose(host, three)).toMatchObject({ status: 200 });
  await swarm.until("both boards run release 3", () => runs(3), 180_000);
}, 600_000);
