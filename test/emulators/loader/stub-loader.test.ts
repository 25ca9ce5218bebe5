/** The stub, request by request: `espressif/esp-flasher-stub`, `src/command_handler.c`. */
import { createHash, randomBytes } from "node:crypto";
import { deflateSync } from "node:zlib";
import { expect, test } from "vitest";
import { inStub, stubEntry } from "../attach.ts";
import { syncBody, words } from "../raw-client.ts";
import { slipFrame } from "../serial/slip.ts";

const ok = [0, 0];
const error = (code: number) => [code, 0];

test("SYNC is answered eight times with a value of 0, which tells the stub from the ROM", async () => {
  const { client } = await inStub();
  for (const answer of await client.sync()) expect(answer).toEqual({ command: 0x08, value: 0, data: ok });
  expect((await client.ask(0x08, words(1))).data).toEqual(error(0xc0));
});

test("unknown commands, wrong directions and wrong lengths each have their code", async () => {
  const { client } = await inStub();
  expect(await client.ask(0x77)).toEqual({ command: 0x77, value: 0, data: error(0xc3) });
  await client.write(slipFrame(Uint8Array.of(1, 0x0a, 4, 0, 0, 0, 0, 0, 1, 2, 3, 4)));
  expect((await client.answer()).data).toEqual(error(0xc3));
  await client.write(slipFrame(Uint8Array.of(0, 0x0a, 8, 0, 0, 0, 0, 0, 1, 2, 3, 4)));
  expect((await client.answer()).data).toEqual(error(0xc0));
  for (const command of [0x02, 0x04, 0x05, 0x06, 0x0a, 0x0b, 0x0d, 0x0f, 0x10, 0x11, 0x12, 0x13, 0xd1, 0xd2])
    expect((await client.ask(command, Uint8Array.of(1))).data, `0x${command.toString(16)}`).toEqual(
      error(0xc0),
    );
  for (const command of [0x03, 0x07, 0x09])
    expect((await client.ask(command, Uint8Array.of(1))).data, `0x${command.toString(16)}`).toEqual(
      error(command === 0x07 ? 0xc6 : 0xc8),
    );
});

test("registers, SPI_ATTACH and SPI_SET_PARAMS answer with two status bytes", async () => {
  const { client } = await inStub();
  expect(await client.ask(0x0a, words(0x40001000))).toEqual({ command: 0x0a, value: 9, data: ok });
  expect((await client.ask(0x09, words(0x3fc90000, 5, 0xffffffff, 0))).data).toEqual(ok);
  expect((await client.ask(0x0a, words(0x3fc90000))).value).toBe(5);
  expect((await client.ask(0x0d, words(0))).data).toEqual(ok);
  expect((await client.ask(0x0b, words(0, 0x400000, 0x10000, 0x1000, 0x100, 0xffff))).data).toEqual(ok);
  expect((await client.ask(0x14)).data.length).toBe(22);
});

test("the stub of an ESP32 has no security info", async () => {
  const { client } = await inStub({ chip: "esp32" });
  expect((await client.ask(0x14)).data).toEqual(error(0xff));
});

test("a frame over the stub's buffer is dropped whole and puts it out of step until another 0xC0 comes", async () => {
  const { client } = await inStub();
  await client.send(0x03, new Uint8Array(0x4000 + 0x100));
  await client.send(0x08, syncBody);
  expect(await client.silent()).toBe(true);
  await client.write(Uint8Array.of(0xc0));
  expect((await client.sync()).length).toBe(8);
});

test("RUN_USER_CODE is not answered and does nothing", async () => {
  const { client, chip } = await inStub();
  await client.send(0xd3, new Uint8Array(0));
  expect(await client.silent()).toBe(true);
  expect(chip.mode).toBe("stub");
});

test("plain download: padding is left out, only what is not blank is erased, END wants all of it", async () => {
  const { client, chip } = await inStub();
  const data = randomBytes(0x1804);
  expect((await client.block(0x03, data, 0)).data).toEqual(error(0xc6));
  expect((await client.ask(0x04, words(1))).data).toEqual(error(0xc6));
  chip.flash[0x21000] = 0;
  await client.ask(0x02, words(data.length, 2, 0x1000, 0x20000));
  expect((await client.block(0x03, data.subarray(0, 0x1000), 0)).data).toEqual(ok);
  expect((await client.ask(0x04, words(1))).data).toEqual(error(0xc0));
  const padded = Buffer.concat([data.subarray(0x1000), Buffer.alloc(0x7fc, 0xee)]);
  expect((await client.block(0x03, padded, 1)).data).toEqual(ok);
  expect((await client.ask(0x04, words(1))).data).toEqual(ok);
  expect(chip.flash.subarray(0x20000, 0x20000 + data.length)).toEqual(new Uint8Array(data));
  expect(chip.flash[0x20000 + data.length]).toBe(0xff);
  expect(chip.counters.erasedSectors).toBe(1);
});

test("64 KB are erased at once where they can be", async () => {
  const { client, chip } = await inStub();
  chip.flash.fill(0x55);
  const data = Buffer.alloc(0x22000, 0xa5);
  await client.ask(0x10, words(data.length, 1, 0x4000, 0xf000));
  await client.block(0x11, deflateSync(data), 0);
  expect((await client.ask(0x12, words(1))).data).toEqual(ok);
  // A sector, two blocks, a sector; around them nothing.
  expect(chip.counters.erasedSectors).toBe(34);
  expect(chip.flash[0xefff]).toBe(0x55);
  expect(chip.flash[0x31000]).toBe(0x55);
  expect(chip.flash.subarray(0xf000, 0x31000).every((byte) => byte === 0xa5)).toBe(true);
});

test("checksum and length of a block are told at once, and the block may be sent again", async () => {
  const { client, chip } = await inStub();
  const data = Buffer.alloc(100, "covey");
  await client.ask(0x02, words(100, 1, 0x1000, 0));
  expect((await client.ask(0x03, Buffer.concat([words(100, 0, 0, 0), data]), 1)).data).toEqual(error(0xc1));
  expect((await client.ask(0x03, Buffer.concat([words(99, 0, 0, 0), data]), 1)).data).toEqual(error(0xc9));
  expect((await client.block(0x03, data, 0)).data).toEqual(ok);
  await client.ask(0x04, words(1));
  expect(chip.flash.subarray(0, 100)).toEqual(new Uint8Array(data));
});

test("trouble in writing is told in the answer to the next command, which is not carried out", async () => {
  const { client } = await inStub();
  await client.ask(0x10, words(1000, 2, 0x4000, 0x1000));
  expect((await client.block(0x11, Buffer.from("not zlib"), 0)).data).toEqual(ok);
  expect((await client.ask(0x0a, words(0x40001000))).data).toEqual(error(0xc7));
  expect((await client.ask(0x0a, words(0x40001000))).data).toEqual(ok);
  await client.ask(0x02, words(0x1000, 1, 0x1000, 0x400000));
  expect((await client.block(0x03, new Uint8Array(0x1000), 0)).data).toEqual(ok);
  expect((await client.ask(0x04, words(1))).data).toEqual(error(0xc4));
});

test("while one block is written there is room for one more; a third is lost", async () => {
  const { client, chip } = await inStub({ faults: { sectorEraseMs: 40 } });
  chip.flash.fill(0);
  await client.ask(0x02, words(0x3000, 3, 0x1000, 0));
  const blocks = [0, 1, 2].map((n) => Buffer.alloc(0x1000, 0x31 + n));
  for (const [n, data] of blocks.entries()) {
    const sum = data.reduce((a, b) => a ^ b, 0xef);
    await client.send(0x03, Buffer.concat([words(data.length, n, 0, 0), data]), sum);
  }
  await client.answer();
  await client.answer();
  expect(await client.silent(150)).toBe(true);
  expect((await client.ask(0x04, words(1))).data).toEqual(error(0xc0));
  expect(chip.flash[0x1fff]).toBe(0x32);
  expect(chip.flash[0x2000]).not.toBe(0x33);
});

test("MD5 comes as sixteen bytes", async () => {
  const { client, chip } = await inStub();
  randomBytes(1001).copy(chip.flash, 3);
  const md5 = createHash("md5").update(chip.flash.subarray(3, 1004)).digest();
  expect((await client.ask(0x13, words(3, 1001, 0, 0))).data).toEqual([...md5, 0, 0]);
  expect((await client.ask(0x13, words(0x3fffff, 2, 0, 0))).data).toEqual(error(0xc4));
});

test("erasing: whole sectors, or all", async () => {
  const { client, chip } = await inStub();
  chip.flash.fill(0);
  expect((await client.ask(0xd1, words(0x1000, 0x2000))).data).toEqual(ok);
  expect([...chip.flash.subarray(0xfff, 0x1001), ...chip.flash.subarray(0x2fff, 0x3001)]).toEqual([
    0, 0xff, 0xff, 0,
  ]);
  expect((await client.ask(0xd1, words(0x1001, 0x1000))).data).toEqual(error(0xc0));
  expect((await client.ask(0xd1, words(0x1000, 0x1001))).data).toEqual(error(0xc0));
  expect((await client.ask(0xd1, words(0x400000, 0x1000))).data).toEqual(error(0xc4));
  expect((await client.ask(0xd0)).data).toEqual(ok);
  expect(chip.flash.every((byte) => byte === 0xff)).toBe(true);
});

test("READ_FLASH sends a packet for each acknowledgement, and the MD5 at the end", async () => {
  const { client, chip } = await inStub();
  randomBytes(2500).copy(chip.flash, 0x500);
  expect((await client.ask(0xd2, words(0x500, 2500, 0x400, 64))).data).toEqual(ok);
  const parts: Uint8Array[] = [];
  for (let got = 0; got < 2500; ) {
    const part = await client.packet();
    expect(await client.silent(20)).toBe(true);
    parts.push(part);
    got += part.length;
    await client.write(slipFrame(words(got)));
  }
  expect(parts.map(({ length }) => length)).toEqual([1024, 1024, 452]);
  expect(new Uint8Array(Buffer.concat(parts))).toEqual(chip.flash.slice(0x500, 0x500 + 2500));
  const md5 = createHash("md5").update(Buffer.concat(parts)).digest();
  expect(Buffer.compare(await client.packet(), md5)).toBe(0);
  expect((await client.sync()).length).toBe(8);
});

test("READ_FLASH is broken off by anything that is no acknowledgement; packets over a sector are refused", async () => {
  const { client } = await inStub();
  await client.ask(0xd2, words(0, 2048, 0x400, 1));
  await client.packet();
  await client.write(slipFrame(Uint8Array.of(1, 2)));
  expect((await client.packet()).length).toBe(16);
  expect((await client.ask(0xd2, words(0, 2048, 0x1001, 1))).data).toEqual(ok);
  expect((await client.ask(0x0a, words(0x40001000))).data).toEqual(error(0xc0));
});

test("another stub may be put over the first", async () => {
  const { client, chip } = await inStub();
  expect((await client.ask(0x05, words(4, 1, 4, stubEntry + 0x100))).data).toEqual(ok);
  expect((await client.block(0x07, randomBytes(5), 0)).data).toEqual(error(0xc9));
  expect((await client.block(0x07, randomBytes(4), 0)).data).toEqual(ok);
  expect((await client.ask(0x06, words(0, stubEntry + 0x100))).data).toEqual(ok);
  expect(Buffer.from(await client.packet()).toString()).toBe("OHAI");
  expect(chip.mode).toBe("stub");
});
