import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeMdnsAnswer, encodeMdnsQuestion, MdnsError } from "../../../protocols/mdns/message.ts";
import { coveyService, hostsInAnswer, serviceLimits } from "../../../protocols/mdns/service.ts";
import { hostRecords, writeAnswer } from "./dns-writer.ts";

// A second implementation of the format: that of the library by which hosts answer.
const load = createRequire(import.meta.url);
const ciao = (path: string) => load(`@homebridge/ciao/lib/coder/${path}`);
const { DNSPacket } = ciao("DNSPacket.js") as typeof import("@homebridge/ciao/lib/coder/DNSPacket.js");
const { ARecord } = ciao(
  "records/ARecord.js",
) as typeof import("@homebridge/ciao/lib/coder/records/ARecord.js");
const { PTRRecord } = ciao(
  "records/PTRRecord.js",
) as typeof import("@homebridge/ciao/lib/coder/records/PTRRecord.js");
const { SRVRecord } = ciao(
  "records/SRVRecord.js",
) as typeof import("@homebridge/ciao/lib/coder/records/SRVRecord.js");
const { TXTRecord } = ciao(
  "records/TXTRecord.js",
) as typeof import("@homebridge/ciao/lib/coder/records/TXTRecord.js");

const answerOf = (...hosts: Parameters<typeof hostRecords>[]) =>
  writeAnswer(
    7,
    coveyService,
    hosts.flatMap((host) => hostRecords(...host)),
  );

const faultOf = (bytes: Uint8Array) => {
  try {
    decodeMdnsAnswer(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof MdnsError) return error.fault;
    throw error;
  }
};

describe("the question", () => {
  test("is for all instances, as others read it", () => {
    const from = { address: "127.0.0.1", family: "IPv4", port: 40_000 };
    const question = Buffer.from(encodeMdnsQuestion(0xbeef, coveyService));
    const decoded = DNSPacket.decode(from, question);
    expect([decoded.id, decoded.type, decoded.questions.size, decoded.answers.size]).toEqual([
      0xbeef, 0, 1, 0,
    ]);
    const [asked] = decoded.questions.values();
    expect(asked).toMatchObject({ name: `${coveyService}.`, type: 12, class: 1, unicastResponseFlag: false });
  });
});

describe("an answer", () => {
  test("says where the hosts of the swarm are, and nothing of others", () => {
    const bytes = answerOf(
      ["greenhouse", "a", [192, 0, 2, 7], 7883],
      ["greenhouse", "b", [192, 0, 2, 8], 7884],
      ["cellar", "a", [192, 0, 2, 9], 7883],
    );
    expect(bytes.length).toBeLessThan(512);
    const answer = decodeMdnsAnswer(bytes);
    expect(answer.id).toBe(7);
    expect(hostsInAnswer(answer, "greenhouse")).toEqual([
      { name: "a", address: "192.0.2.7", port: 7883 },
      { name: "b", address: "192.0.2.8", port: 7884 },
    ]);
  });

  test("is read the same with names in full, in capitals, and with records of other kinds between", () => {
    const records = hostRecords("greenhouse", "a", [192, 0, 2, 7], 7883).flatMap((record) => [
      { name: "x.local", type: "AAAA" as const, data: [] },
      { ...record, name: record.name.replace("_covey", "_CoVeY") },
    ]);
    const found = hostsInAnswer(decodeMdnsAnswer(writeAnswer(1, undefined, records, false)), "greenhouse");
    expect(found).toEqual([{ name: "a", address: "192.0.2.7", port: 7883 }]);
  });

  test("as a well-known library writes it is read as it reads it", () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/).map((label) => `${label}.local`);
    const record = fc.oneof(
      fc.tuple(name, fc.ipV4()).map(([owner, address]) => ({
        written: new ARecord(`${owner}.`, address),
        read: { type: "a", name: owner, address },
      })),
      fc.tuple(name, name).map(([owner, target]) => ({
        written: new PTRRecord(`${owner}.`, `${target}.`),
        read: { type: "ptr", name: owner, target },
      })),
      fc.tuple(name, fc.array(name, { minLength: 1, maxLength: 5 })).map(([owner, texts]) => ({
        written: new TXTRecord(
          `${owner}.`,
          texts.map((text) => Buffer.from(text)),
        ),
        read: { type: "txt", name: owner, texts },
      })),
      fc.tuple(name, name, fc.integer({ min: 1, max: 65_535 })).map(([owner, target, port]) => ({
        written: new SRVRecord(`${owner}.`, `${target}.`, port),
        read: { type: "srv", name: owner, target, port },
      })),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 10 }), (records) => {
        const answers = records.map(({ written }) => written);
        const bytes = DNSPacket.createDNSResponsePacketsFromRRSet({ answers }, 9_000).encode();
        const { records: found } = decodeMdnsAnswer(new Uint8Array(bytes));
        // The library leaves out what is there already.
        for (const each of found) expect(records.map(({ read }) => read)).toContainEqual(each);
        expect(found.length).toBe(bytes.readUInt16BE(6));
        if (records.length > 0) expect(found.length).toBeGreaterThan(0);
      }),
    );
  });

  test("gives a few places of each host at most, however many it claims", () => {
    const many = Array.from({ length: 7 }, (_, i): Parameters<typeof hostRecords> => {
      return ["greenhouse", "a", [10, 0, 0, i], 7883];
    });
    expect(hostsInAnswer(decodeMdnsAnswer(answerOf(...many)), "greenhouse")).toHaveLength(
      serviceLimits.placesPerHostMax,
    );
  });

  test("that is torn anywhere is none", () => {
    const bytes = answerOf(["greenhouse", "a", [192, 0, 2, 7], 7883]);
    for (let length = 0; length < bytes.length; length++) {
      expect(faultOf(bytes.subarray(0, length)), `${length} bytes`).toBe("truncated");
    }
  });

  test("is no question, no error, and not cut short by who sent it", () => {
    const bytes = answerOf(["greenhouse", "a", [192, 0, 2, 7], 7883]);
    for (const flags of [0x0400, 0x8403, 0x8600, 0x8c00]) {
      const other = bytes.slice();
      other.set([flags >> 8, flags & 0xff], 2);
      expect(faultOf(other), flags.toString(16)).toBe("not-an-answer");
    }
  });

  test("has no names that lead in a circle, or forward, or are too long", () => {
    const header = [0, 1, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const rest = [0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4];
    expect(faultOf(Uint8Array.from([...header, 0xc0, 12, ...rest]))).toBe("name");
    expect(faultOf(Uint8Array.from([...header, 0xc0, 20, ...rest]))).toBe("name");
    expect(faultOf(Uint8Array.from([...header, 1, 97, 0xc0, 12, ...rest]))).toBe("name");
    expect(faultOf(Uint8Array.from([...header, 64, ...new Array(64).fill(97), 0, ...rest]))).toBe("name");
    const long = new Array(5).fill([63, ...new Array(63).fill(97)]).flat();
    expect(faultOf(Uint8Array.from([...header, ...long, 0, ...rest]))).toBe("name");
  });

  test("has no more records than anybody needs, and none of another length than it says", () => {
    const bytes = answerOf(["greenhouse", "a", [192, 0, 2, 7], 7883]);
    const many = bytes.slice();
    many[7] = 33;
    expect(faultOf(many)).toBe("too-many");
    const header = [0, 1, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0];
    const a = (length: number) => [1, 97, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, length, 1, 2, 3, 4, 5];
    expect(faultOf(Uint8Array.from([...header, ...a(5)]))).toBe("record");
    expect(faultOf(Uint8Array.from([...header, ...a(3)]))).toBe("record");
  });
});
