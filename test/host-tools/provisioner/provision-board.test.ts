/** One board's settings written over its serial port, with the cable pulled at places all through it. */
import { afterEach, describe, expect, test } from "vitest";
import type { Progress } from "../../../host-tools/flasher/flash-board.ts";
import type { FlashProblem } from "../../../host-tools/flasher/problems.ts";
import { valuesOf } from "../../../host-tools/provisioner/board-settings.ts";
import {
  type ProvisionJob,
  type ProvisionReport,
  provisionBoard,
} from "../../../host-tools/provisioner/provision-board.ts";
import { TestRoot } from "../../members.ts";
import { detachAll } from "../flasher/attached.ts";
import { besideNvs, flashedBoard, foreignItems, holderIn, nvsOf } from "./provisioned-chip.ts";

afterEach(detachAll);

const wifi = { ssid: "flock", password: "hush-hush" };
const values = valuesOf({
  member: new TestRoot("house").issue("board", "gate"),
  authority: new Uint8Array(416).fill(7),
  contactKey: new Uint8Array(16).fill(9),
  contact: { number: 0, wifi, hosts: [], timeServer: undefined },
});

/** As the files do, in memory. */
class Rescued {
  readonly kept = new Map<string, Uint8Array>();
  take = (mac: string) => this.kept.get(mac);
  put = (mac: string, bytes: Uint8Array) => void this.kept.set(mac, bytes);
  drop = (mac: string) => void this.kept.delete(mac);
}

function provision(
  port: string,
  rescue: Rescued,
  given: Partial<ProvisionJob> = {},
): Promise<ProvisionReport> {
  return provisionBoard({
    ...{ port, baud: 921_600, dryRun: false, rescue, signal: undefined, report: () => {} },
    chosen: async () => ({ name: "gate", values, keepsIdentity: false, replace: false }),
    ...given,
  });
}

const others = (items: ReturnType<typeof nvsOf>) => items.filter(({ namespace }) => namespace !== "covey");

/** Bytes on the line to the chip when it begins to be written, and when all is done. */
async function measured(): Promise<{ writeAt: number; doneAt: number }> {
  const { chip, url } = await flashedBoard("esp32c3", {}, foreignItems);
  let writeAt = 0;
  const report = ({ step }: Progress) => {
    if (step === "write" && writeAt === 0) writeAt = chip.counters.bytesIn;
  };
  await provision(url, new Rescued(), { report });
  return { writeAt, doneAt: chip.counters.bytesIn };
}

test("a cable pulled anywhere in it: the board is called what it is, and the next run gives it all and keeps what others had", async () => {
  const { writeAt, doneAt } = await measured();
  const seen = new Map<string, number>();
  const cuts = 12;
  for (let cut = 0; cut < cuts; cut++) {
    const { chip, url } = await flashedBoard("esp32c3", {}, foreignItems);
    const beside = besideNvs(chip);
    const rescue = new Rescued();
    chip.pull(Math.round(writeAt - 200 + ((doneAt - writeAt + 200) * cut) / cuts));
    const board = await provision(url, rescue).then(
      () => "done",
      (error: FlashProblem) => `${error.code} ${error.board}`,
    );
    seen.set(board, (seen.get(board) ?? 0) + 1);
    expect(["unplugged unchanged", "unplugged half-provisioned"]).toContain(board);
    expect(rescue.kept.size).toBe(board.endsWith("unchanged") && rescue.kept.size === 0 ? 0 : 1);
    chip.plug();
    const again = await provision(url, rescue);
    expect(again).toMatchObject({
      holder: { name: "gate", hasKey: true },
      kept: ["phy", "nvs.net80211", "shop"],
    });
    expect(holderIn(chip)).toMatchObject({ name: "gate", hasKey: true });
    expect(others(nvsOf(chip))).toEqual(foreignItems);
    expect(Buffer.compare(beside, besideNvs(chip))).toBe(0);
    expect(rescue.kept.size).toBe(0);
    expect(await provision(url, rescue)).toMatchObject({ outcome: "unchanged", changedBytes: 0 });
    await detachAll();
  }
  expect(seen.get("unplugged half-provisioned")).toBeGreaterThan(cuts / 2);
}, 120_000);

describe("a line that is bad", () => {
  test("is begun again, slower, and finished", async () => {
    const { writeAt } = await measured();
    const faults = { toChip: { lost: [writeAt + 300], flipped: [writeAt + 25_000] } };
    const { chip, url } = await flashedBoard("esp32c3", { faults }, foreignItems);
    const run = await provision(url, new Rescued());
    expect(run.attempts).toBeGreaterThan(1);
    expect(run).toMatchObject({ outcome: "written", before: undefined, holder: { name: "gate" } });
    expect(others(nvsOf(chip))).toEqual(foreignItems);
  });

  test("is not blamed for what fails on the computer", async () => {
    const { chip, url } = await flashedBoard("esp32c3");
    let asked = 0;
    const chosen = async () => {
      asked++;
      throw new Error("the disk is full");
    };
    await expect(provision(url, new Rescued(), { chosen })).rejects.toThrow("the disk is full");
    expect(asked).toBe(1);
    await expect.poll(() => chip.mode).toBe("application");
  });

  test("worn cells are told by their place", async () => {
    const { url } = await flashedBoard("esp32c3", { faults: { badCells: [0x9041] } });
    await expect(provision(url, new Rescued())).rejects.toMatchObject({
      code: "worn-flash",
      board: "half-provisioned",
    });
  });
});
