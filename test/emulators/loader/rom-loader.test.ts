/** The ROM's loader, request by request. Espressif, "Serial Protocol". */
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { attach, inRom, startRom, startStub, stubEntry } from "../attach.ts";
import type { ChipName } from "../esp/chip-table.ts";
import { RawClient, syncBody, words } from "../raw-client.ts";
import { slipFrame } from "../serial/slip.ts";

const ok = [0, 0, 0, 0];
const error = (code: number) => [1, code, 0, 0];

test("SYNC is answered eight times, byte for byte as a trace of a board shows it", async () => {
  const { url, chip } = await attach({ chip: "esp32" });
  const client = await RawClient.open(url);
  await startRom(client, chip);
  await client.sync();
  expect(client.heard).toMatch(/boot:0x3 \(DOWNLOAD_BOOT.*\)\r\nwaiting for download\r\n/);
  const frames = Buffer.from(client.heard.slice(client.heard.indexOf("\xc0")), "latin1").toString("hex");
  expect(frames).toBe("c0010804000707122000000000c0".repeat(8));
  await client.port.close();
});

test("a SYNC of another body is an invalid message", async () => {
  const { client } = await inRom();
  expect((await client.ask(0x08, words(1))).data).toEqual(error(0x05));
  expect((await client.ask(0x08, Buffer.alloc(36, 0x55))).data).toEqual(error(0x05));
});

test.each<[ChipName, number]>([
  ["esp32", 0x00f01d83],
  ["esp32s3", 0x09],
  ["esp32c3", 0x1b31506f],
])("READ_REG tells the %s's magic, MAC and flash id", async (chip, magic) => {
  const { client } = await inRom({ chip, mac: "24:0a:c4:0b:0c:0d", flashBytes: 0x800000 });
  expect(await client.ask(0x0a, words(0x40001000))).toEqual({ command: 0x0a, value: magic, data: ok });
  const macAt = { esp32: 0x3ff5a004, esp32s3: 0x60007044, esp32c3: 0x60008844 }[chip];
  expect((await client.ask(0x0a, words(macAt))).value).toBe(0xc40b0c0d);
  expect((await client.ask(0x0a, words(macAt + 4))).value & 0xffff).toBe(0x240a);
  const [base, usr2, w0] = chip === "esp32" ? [0x3ff42000, 0x24, 0x80] : [0x60002000, 0x20, 0x58];
  await client.ask(0x09, words(base + usr2, 0x7000009f, 0xffffffff, 0));
  await client.ask(0x09, words(base, 1 << 18, 0xffffffff, 0));
  expect((await client.ask(0x0a, words(base))).value).toBe(0);
  expect((await client.ask(0x0a, words(base + w0))).value).toBe(0x1740ef);
});

test("WRITE_REG takes several writes, each under its mask, and leaves eFuses alone", async () => {
  const { client } = await inRom();
  const at = 0x3fc88000;
  await client.ask(0x09, words(at, 0x11223344, 0xffffffff, 0, at, 0xaabbccdd, 0x00ff00ff, 0));
  expect((await client.ask(0x0a, words(at))).value).toBe(0x11bb33dd);
  const fuse = (await client.ask(0x0a, words(0x60007044))).value;
  await client.ask(0x09, words(0x60007044, 0, 0xffffffff, 0));
  expect((await client.ask(0x0a, words(0x60007044))).value).toBe(fuse);
  expect((await client.ask(0x09, words(at))).data).toEqual(error(0x05));
  expect((await client.ask(0x0a, words(at, at))).data).toEqual(error(0x05));
});

test("a length that is not the body's is an invalid message; a wrong direction and half a header are passed over", async () => {
  const { client } = await inRom();
  await client.write(slipFrame(Uint8Array.of(0, 0x0a, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4)));
  expect((await client.answer()).data).toEqual(error(0x05));
  await client.write(slipFrame(Uint8Array.of(1, 0x0a, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4)));
  await client.write(slipFrame(Uint8Array.of(0, 0x0a, 4)));
  expect(await client.silent()).toBe(true);
  expect((await client.sync()).length).toBe(8);
});

test("an unknown command is answered eight times under another number", async () => {
  const { client } = await inRom({ chip: "esp32" });
  for (const command of [0xd0, 0xd2, 0x14, 0x77]) {
    const answers = [await client.ask(command)];
    while (answers.length < 8) answers.push(await client.answer());
    for (const answer of answers) {
      expect(answer.command).not.toBe(command);
      expect(answer.data).toEqual(error(0x05));
    }
  }
});

test.each([
  ["esp32s3", 9],
  ["esp32c3", 5],
] as const)("GET_SECURITY_INFO of an %s names the chip and what is burnt", async (chip, chipId) => {
  const open = await inRom({ chip });
  const { data } = await open.client.ask(0x14);
  expect(data.length).toBe(24);
  expect(data.slice(0, 5)).toEqual([0, 0, 0, 0, 0]);
  expect(data.slice(12, 16)).toEqual([chipId, 0, 0, 0]);
  const closed = await inRom({
    chip,
    efuses: { secureBoot: true, flashEncryption: true, secureDownload: true },
  });
  expect((await closed.client.ask(0x14)).data.slice(0, 7)).toEqual([5, 0, 0, 0, 1, 9, 4]);
});

test("Secure Download Mode leaves what writes, and no more", async () => {
  const { client, chip } = await inRom({ efuses: { secureDownload: true } });
  for (const command of [0x05, 0x06, 0x07, 0x09, 0x0a, 0x0e, 0x10, 0x11, 0x12, 0x13]) {
    await client.ask(command, words(0, 0, 0, 0));
    for (let i = 0; i < 7; i++) expect((await client.answer()).data).toEqual(error(0x05));
  }
  await client.ask(0x0d, words(0, 0));
  expect((await client.ask(0x02, words(4, 1, 4, 0x1000, 0))).data).toEqual(ok);
  expect((await client.block(0x03, Uint8Array.of(1, 2, 3, 4), 0)).data).toEqual(ok);
  expect([...chip.flash.subarray(0x1000, 0x1005)]).toEqual([1, 2, 3, 4, 0xff]);
});

test("memory download: checksum, size, order, and nothing runs that did not come", async () => {
  const { client, chip } = await inRom();
  const data = randomBytes(32);
  expect((await client.block(0x07, data, 0)).data).toEqual(error(0x04));
  expect((await client.ask(0x05, words(1, 2, 3))).data).toEqual(error(0x01));
  expect((await client.ask(0x05, words(32, 1, 0x1800, stubEntry))).data).toEqual(ok);
  const body = Buffer.concat([words(32, 0, 0, 0), data]);
  expect((await client.ask(0x07, body, 0x123)).data).toEqual(error(0x07));
  expect((await client.block(0x07, randomBytes(33), 0)).data).toEqual(error(0x0e));
  expect((await client.ask(0x06, words(0, stubEntry))).data).toEqual(error(0x04));
  await client.ask(0x05, words(32, 1, 0x1800, stubEntry));
  expect((await client.block(0x07, data, 0)).data).toEqual(ok);
  expect((await client.ask(0x0a, words(stubEntry + 4))).value).toBe(data.readUInt32LE(4));
  expect((await client.ask(0x06, words(1, stubEntry))).data).toEqual(ok);
  expect(chip.mode).toBe("download");
  await startStub(client);
  expect(chip.mode).toBe("stub");
});

test("code that is entered where nothing lies crashes the chip until it is reset", async () => {
  const { client, chip } = await inRom();
  await client.ask(0x05, words(4, 1, 4, stubEntry));
  await client.block(0x07, randomBytes(4), 0);
  await client.ask(0x06, words(0, stubEntry + 0x1000));
  expect(chip.mode).toBe("crashed");
  await client.send(0x08, syncBody);
  expect(await client.silent()).toBe(true);
  await startRom(client, chip);
  await client.sync();
  expect(chip.mode).toBe("download");
});

test("plain flash download: attach first, erased at BEGIN, each block written before its answer", async () => {
  const { client, chip } = await inRom();
  chip.flash.fill(0, 0x3000, 0x7000);
  expect((await client.ask(0x02, words(0x1800, 6, 0x400, 0x4000, 0))).data).toEqual(error(0x06));
  expect((await client.ask(0x0d, words(0))).data).toEqual(error(0x05));
  expect((await client.ask(0x0d, words(0, 0))).data).toEqual(ok);
  expect((await client.ask(0x0b, words(0, 0x400000, 0x10000, 0x1000, 0x100, 0xffff))).data).toEqual(ok);
  expect((await client.ask(0x02, words(0x1800, 6, 0x400, 0x4000, 0))).data).toEqual(ok);
  // Whole sectors: 0x4000 to 0x5fff.
  expect(chip.flash.subarray(0x3fff, 0x4001)).toEqual(Uint8Array.of(0, 0xff));
  expect(chip.flash.subarray(0x5fff, 0x6001)).toEqual(Uint8Array.of(0xff, 0));
  const data = randomBytes(0x1800);
  for (let block = 0; block < 6; block++) {
    const piece = data.subarray(block * 0x400, (block + 1) * 0x400);
    expect((await client.block(0x03, piece, block)).data).toEqual(ok);
    expect(chip.flash.subarray(0x4000 + block * 0x400, 0x4400 + block * 0x400)).toEqual(
      new Uint8Array(piece),
    );
  }
  expect((await client.ask(0x04, words(1))).data).toEqual(ok);
  expect(chip.mode).toBe("download");
});

test("a block's wrong checksum, length, turn or kind is refused and not written", async () => {
  const { client, chip } = await inRom();
  await client.ask(0x0d, words(0, 0));
  const data = randomBytes(64);
  expect((await client.block(0x03, data, 0)).data).toEqual(error(0x06));
  await client.ask(0x02, words(64, 1, 64, 0, 0));
  expect((await client.ask(0x03, Buffer.concat([words(64, 0, 0, 0), data]), 1)).data).toEqual(error(0x07));
  expect((await client.block(0x03, randomBytes(65), 0)).data).toEqual(error(0x05));
  expect((await client.block(0x03, data, 1)).data).toEqual(error(0x05));
  expect((await client.block(0x11, data, 0)).data).toEqual(error(0x06));
  expect(chip.counters.programmedBytes).toBe(0);
  expect((await client.ask(0x02, words(0x1000, 1, 0x1000, 0x400000, 0))).data).toEqual(error(0x01));
});

test("deflated flash download, with the errors of a stream that is not one", async () => {
  const { client, chip } = await inRom();
  await client.ask(0x0d, words(0, 0));
  const data = Buffer.alloc(0x5000, "covey");
  const stream = deflateSync(data);
  await client.ask(0x10, words(0x5000, 1, 0x400, 0x10000, 0));
  expect((await client.block(0x11, stream, 0)).data).toEqual(ok);
  expect(chip.flash.subarray(0x10000, 0x15000)).toEqual(new Uint8Array(data));
  expect((await client.ask(0x12, words(1))).data).toEqual(ok);
  const wrongSum = Buffer.from(stream);
  wrongSum[stream.length - 1]! ^= 1;
  await client.ask(0x10, words(0x5000, 1, 0x400, 0x10000, 0));
  expect((await client.block(0x11, wrongSum, 0)).data).toEqual(error(0x0c));
  await client.ask(0x10, words(0x5000, 1, 0x400, 0x10000, 0));
  expect((await client.block(0x11, Buffer.from("not zlib"), 0)).data).toEqual(error(0x0b));
  await client.ask(0x10, words(0x1000, 1, 0x400, 0x10000, 0));
  expect((await client.block(0x11, stream, 0)).data).toEqual(error(0x0d));
});

test("cells that can't be programmed are found when the block is read back", async () => {
  const { client } = await inRom({ faults: { badCells: [0x1002] } });
  await client.ask(0x0d, words(0, 0));
  await client.ask(0x02, words(4, 1, 4, 0x1000, 0));
  expect((await client.block(0x03, Uint8Array.of(1, 2, 3, 4), 0)).data).toEqual(error(0x08));
});

test("MD5 comes as text, flash is read 64 bytes at a time", async () => {
  const { client, chip } = await inRom();
  randomBytes(300).copy(chip.flash, 0x100);
  expect((await client.ask(0x13, words(0x100, 300, 0, 0))).data).toEqual(error(0x06));
  await client.ask(0x0d, words(0, 0));
  const md5 = createHash("md5")
    .update(chip.flash.subarray(0x100, 0x100 + 300))
    .digest("hex");
  const answer = await client.ask(0x13, words(0x100, 300, 0, 0));
  expect(Buffer.from(answer.data.slice(0, 32)).toString("ascii")).toBe(md5);
  expect(answer.data.slice(32)).toEqual(ok);
  expect((await client.ask(0x0e, words(0x100, 10))).data).toEqual([
    ...chip.flash.subarray(0x100, 0x10a),
    ...Array(54).fill(0),
    ...ok,
  ]);
  expect((await client.ask(0x0e, words(0x100, 65))).data).toEqual(error(0x0a));
  expect((await client.ask(0x0e, words(0x3ffff0, 64))).data).toEqual(error(0x09));
});

test("FLASH_END with 0 reboots, out of the loader", async () => {
  const { client, chip } = await inRom();
  await client.ask(0x0d, words(0, 0));
  expect((await client.ask(0x04, words(0))).data).toEqual(ok);
  expect(chip.mode).toBe("no-image");
  expect(client.heard).toMatch(/rst:0xc .*SPI_FAST_FLASH_BOOT/);
});

test("the RTC watchdog, unlocked and set, resets the chip", async () => {
  const { client, chip } = await inRom({ chip: "esp32c3" });
  const starts = chip.counters.starts;
  await client.ask(0x09, words(0x60008090, 0x80000000, 0xffffffff, 0));
  await client.ask(0x09, words(0x600080a8, 0x50d83aa1, 0xffffffff, 0));
  await client.ask(0x09, words(0x60008094, 2000, 0xffffffff, 0));
  expect(chip.counters.starts).toBe(starts);
  await client.ask(0x09, words(0x60008090, ((1 << 31) | (5 << 28) | (1 << 8) | 2) >>> 0, 0xffffffff, 0));
  await expect.poll(() => chip.counters.starts).toBe(starts + 1);
  expect(chip.mode).toBe("no-image");
});
