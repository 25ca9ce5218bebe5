import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NodeDisk } from "../../../../host-tools/leader/raft/node-disk.ts";

let directory: string;
let disk: NodeDisk;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "covey-disk-"));
  disk = new NodeDisk(join(directory, "raft"));
});

afterEach(() => {
  disk.close();
  rmSync(directory, { recursive: true });
});

describe("a host's disk", () => {
  it("writes, truncates, renames and removes, and shows it at once", async () => {
    disk.write("a", 0, bytes("hello"));
    disk.write("a", 3, bytes("p me"));
    disk.write("b", 0, bytes("gone"));
    disk.truncate("a", 6);
    expect([...disk.list()].sort()).toEqual(["a", "b"]);
    disk.rename("a", "b");
    expect(disk.list()).toEqual(["b"]);
    disk.write("b", 6, bytes("!"));
    await synced(disk);
    expect(text(disk.read("b"))).toBe("help m!");
    disk.remove("b");
    await synced(disk);
    expect(readdirSync(join(directory, "raft"))).toEqual([]);
  });

  it("answers each sync once, in turn, and never before it returns", async () => {
    const order: number[] = [];
    const answers = Array.from({ length: 50 }, (_, i) => {
      if (i % 3 === 0) disk.write("a", i, bytes("x"));
      return new Promise<void>((resolve) => disk.sync(() => resolve(void order.push(i))));
    });
    expect(order).toEqual([]);
    await Promise.all(answers);
    expect(order).toEqual(Array.from({ length: 50 }, (_, i) => i));
  });

  it("may lose a file by name while it is being synced", async () => {
    disk.write("a", 0, bytes("x"));
    const first = synced(disk);
    disk.remove("a");
    disk.write("c", 0, bytes("z"));
    disk.rename("c", "d");
    await first;
    await synced(disk);
    expect(disk.list()).toEqual(["d"]);
  });

  it("tells all later syncs that the disk refused", async () => {
    symlinkSync("/dev/full", join(directory, "raft", "full"));
    disk.write("full", 0, bytes("x"));
    expect(await synced(disk)).toMatchObject({ code: "ENOSPC" });
    disk.write("other", 0, bytes("x"));
    expect(await synced(disk)).toMatchObject({ code: "ENOSPC" });
  });

  it("finds what an earlier process left", async () => {
    disk.close();
    writeFileSync(join(directory, "raft", "left"), "over");
    disk = new NodeDisk(join(directory, "raft"));
    expect(text(disk.read("left"))).toBe("over");
    expect(await synced(disk)).toBeUndefined();
    disk.write("left", 4, bytes("!"));
    expect(await synced(disk)).toBeUndefined();
    expect(readFileSync(join(directory, "raft", "left"), "utf8")).toBe("over!");
  });
});

function synced(some: NodeDisk): Promise<Error | undefined> {
  return new Promise((resolve) => some.sync(resolve));
}

function bytes(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

function text(some: Uint8Array): string {
  return new TextDecoder().decode(some);
}
