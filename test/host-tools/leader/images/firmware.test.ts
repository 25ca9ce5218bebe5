/** Releases and their images on real hosts: uploaded, agreed on, handed out to boards, fetched from each other. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { releaseHeader } from "../../../../host-tools/leader/api/types/releases.ts";
import { Releases } from "../../../../host-tools/leader/images/releases.ts";
import { eventually, leaderUnderTest } from "../leader-under-test.ts";
import { SeveralHosts } from "../several-hosts.ts";
import { fetchImage, listing, propose, someImage, someRelease, until, upload } from "./some-release.ts";

const filesOf = (stateDir: string, host = "a") => {
  try {
    return readdirSync(join(stateDir, `host-${host}/images`));
  } catch {
    return [];
  }
};

describe("an image on its way to a host", () => {
  it("is kept under its digest, and boards that ask get its chunks once its release is agreed on", async () => {
    const leader = await leaderUnderTest();
    const board = await leader.join("north-1");
    const one = someRelease(1, { sizeBytes: 40_000 });
    expect(await upload(leader, one, one.image)).toMatchObject({ status: 200, sizeBytes: 40_000 });
    expect(filesOf(leader.stateDir)).toEqual([one.digest]);
    expect(await fetchImage(board, one)).toBeUndefined();
    expect(await propose(leader, one)).toMatchObject({
      ...{ status: 200, sequence: 1, firmware: "0.1.0" },
      boards: ["north-1", "north-2", "south-1"],
    });
    expect(await fetchImage(board, one)).toEqual(one.image);
    const { releases, boards, sequence } = await listing(leader);
    expect(sequence).toBe(1);
    expect(releases).toMatchObject([
      { model: "esp32c3-devkit", sequence: 1, hosts: ["a"], digest: one.digest },
    ]);
    expect(boards[0]).toMatchObject({ id: "north-1", target: 1, firmware: { version: "0.1.0" } });
  });

  it("leaves nothing when it is another image, or longer or shorter than its release says", async () => {
    const leader = await leaderUnderTest();
    const one = someRelease(1);
    expect(await upload(leader, one, someImage(5_000, 7))).toMatchObject({ status: 400 });
    expect(await upload(leader, one, someImage(4_000, 1))).toMatchObject({ status: 400 });
    expect(await upload(leader, one, someImage(6_000, 1))).toMatchObject({ status: 413 });
    expect(filesOf(leader.stateDir)).toEqual([]);
    expect(await propose(leader, one)).toMatchObject({ status: 409, error: { code: "no-image" } });
  }, 15_000);

  it("leaves nothing when it breaks off, and is taken whole the next time", async () => {
    const leader = await leaderUnderTest();
    const one = someRelease(1, { sizeBytes: 200_000 });
    const sent = request(`${leader.url}/api/images/${one.digest}`, {
      method: "PUT",
      headers: {
        "content-type": "application/octet-stream",
        "content-length": one.image.length,
        [releaseHeader]: Buffer.from(one.signed).toString("base64url"),
      },
    });
    sent.on("error", () => {});
    sent.write(one.image.subarray(0, 100_000));
    await eventually(() => filesOf(leader.stateDir).length === 1);
    sent.destroy();
    await eventually(() => filesOf(leader.stateDir).length === 0);
    expect(await upload(leader, one, one.image)).toMatchObject({ status: 200 });
  });

  it("is not taken without a release of this swarm's root, nor with one that is older than what was agreed on", async () => {
    const leader = await leaderUnderTest();
    const foreign = someRelease(9, {}, "another root");
    expect(await upload(leader, foreign, foreign.image)).toMatchObject({ status: 400 });
    const unknown = someRelease(9, { model: "esp32-devkit" });
    expect(await upload(leader, unknown, unknown.image)).toMatchObject({ status: 400 });
    const [old, two] = [someRelease(1), someRelease(2)];
    await upload(leader, two, two.image);
    await propose(leader, two);
    expect(await upload(leader, old, old.image)).toMatchObject({ status: 409, error: { code: "not-newer" } });
    expect(filesOf(leader.stateDir)).toEqual([two.digest]);
  });

  it("is there after a restart; what was torn or left over is not", async () => {
    const leader = await leaderUnderTest();
    const [one, two] = [someRelease(1), someRelease(2)];
    for (const each of [one, two]) {
      await upload(leader, each, each.image);
      await propose(leader, each);
    }
    await leader.stop();
    const folder = join(leader.stateDir, "host-a/images");
    const torn = readFileSync(join(folder, one.digest));
    torn[3_000]! ^= 1;
    writeFileSync(join(folder, one.digest), torn);
    writeFileSync(join(folder, `${two.digest}.0badf00d.part`), "half");
    const again = await leaderUnderTest({ stateDir: leader.stateDir });
    expect(filesOf(leader.stateDir)).toEqual([two.digest]);
    await again.join("north-1");
    await until(async () => (await listing(again)).releases[0]?.hosts.length === 1);
    expect(again.logged.join("")).toContain("image-damaged");
  });
});

describe("a release", () => {
  it("is refused when it is older, unsigned, or for another kind of board; and again it is agreed on already", async () => {
    const leader = await leaderUnderTest();
    await leader.join("north-1");
    const [one, two, three] = [someRelease(1), someRelease(2), someRelease(3)];
    for (const each of [one, two, three]) await upload(leader, each, each.image);
    expect(await propose(leader, two)).toMatchObject({ status: 200 });
    expect(await propose(leader, two)).toMatchObject({ status: 200 });
    expect(await propose(leader, one)).toMatchObject({ status: 409, error: { code: "not-newer" } });
    expect(await propose(leader, someRelease(9, {}, "another root"))).toMatchObject({ status: 400 });
    expect(await propose(leader, someRelease(9, { swarm: "house" }))).toMatchObject({ status: 400 });
    expect(await propose(leader, three, ["north-1", "nobody"])).toMatchObject({ status: 400 });
    expect((await listing(leader)).releases).toMatchObject([{ sequence: 2 }]);
    const said = () => leader.request("/api/audit").then(({ body }) => body);
    await until(async () => (await said()).includes("propose the older release 1"));
    expect(leader.status().violations).toEqual([]);
  });

  it("for single boards goes before that of their kind, until their kind gets a newer one", async () => {
    const leader = await leaderUnderTest();
    const [one, two, three] = [someRelease(1), someRelease(2), someRelease(3)];
    for (const each of [one, two, three]) await upload(leader, each, each.image);
    await propose(leader, one);
    expect(await propose(leader, two, ["south-1", "north-2"])).toMatchObject({
      boards: ["south-1", "north-2"],
    });
    const targets = async () => (await listing(leader)).boards.map(({ id, target }) => `${id} ${target}`);
    expect(await targets()).toEqual(["north-1 1", "north-2 2", "south-1 2"]);
    await propose(leader, three);
    expect(await targets()).toEqual(["north-1 3", "north-2 3", "south-1 3"]);
    expect((await listing(leader)).releases).toHaveLength(1);
    expect(leader.status().violations).toEqual([]);
  });
});

describe("several hosts", () => {
  it("a host that has not got the image fetches it from another one, and hands it out", async () => {
    const hosts = await SeveralHosts.start(["a", "b", "c"], []);
    const leader = await hosts.leader();
    const [other, third] = ["a", "b", "c"].filter((name) => name !== leader);
    const one = someRelease(1, { sizeBytes: 300_000 });
    // At a host that does not lead: the leader fetches it before it proposes.
    await upload(hosts.host(other!), one, one.image);
    expect(await propose(hosts.host(other!), one)).toMatchObject({ status: 200 });
    await until(async () => (await listing(hosts.host(third!))).releases[0]?.hosts.length === 3);
    for (const name of ["a", "b", "c"]) {
      expect(readFileSync(join(hosts.stateDir, `host-${name}/images`, one.digest)).equals(one.image)).toBe(
        true,
      );
    }
    const board = await hosts.host(third!).join("north-1");
    expect(await fetchImage(board, one)).toEqual(one.image);
    hosts.expectNoViolations();
  }, 30_000);

  it("a host that was away finds out what it lacks, also when the one that was sent it is gone", async () => {
    const hosts = await SeveralHosts.start(["a", "b", "c"], []);
    const leader = await hosts.leader();
    const [other, away] = ["a", "b", "c"].filter((name) => name !== leader);
    await eventually(() => hosts.host(leader).status().leader.voters.length === 3, 10_000);
    await hosts.stop(away!);
    const one = someRelease(1, { sizeBytes: 100_000 });
    await upload(hosts.host(leader), one, one.image);
    await propose(hosts.host(leader), one);
    await eventually(() => filesOf(hosts.stateDir, other).includes(one.digest));
    await hosts.stop(leader);
    await hosts.start(away!);
    await hosts.leader();
    await eventually(() => filesOf(hosts.stateDir, away).includes(one.digest), 10_000);
    // An update goes on under the new leader.
    const two = someRelease(2);
    await upload(hosts.host(away!), two, two.image);
    expect(await propose(hosts.host(away!), two)).toMatchObject({ status: 200 });
    hosts.expectNoViolations();
  }, 40_000);

  it("the leader may die in the middle: boards fetch on from the hosts that are left", async () => {
    const hosts = await SeveralHosts.start(["a", "b", "c"], []);
    const leader = await hosts.leader();
    const others = ["a", "b", "c"].filter((name) => name !== leader);
    await eventually(() => hosts.host(leader).status().leader.voters.length === 3, 10_000);
    const one = someRelease(1, { sizeBytes: 400_000 });
    await upload(hosts.host(leader), one, one.image);
    await propose(hosts.host(leader), one);
    for (const name of others) await eventually(() => filesOf(hosts.stateDir, name).includes(one.digest));
    const boards = await Promise.all(
      others.map((name, i) => hosts.host(name).join(i === 0 ? "north-1" : "north-2")),
    );
    const fetched = Promise.all(boards.map((board) => fetchImage(board, one)));
    await eventually(() => boards.every(({ sealedIn }) => sealedIn.length > 20));
    await hosts.stop(leader);
    expect(await fetched).toEqual([one.image, one.image]);
    await hosts.leader();
    const [first] = (await listing(hosts.host(others[0]!))).releases;
    expect(first).toMatchObject({ sequence: 1, hosts: [...others].sort() });
    hosts.expectNoViolations();
  }, 40_000);

  it("an older release that a host that was broken into has agreed on counts for nothing, and all tell of it", async () => {
    const hosts = await SeveralHosts.start(["a", "b"], []);
    const leader = hosts.host(await hosts.leader());
    const [old, two] = [someRelease(1), someRelease(2)];
    await upload(leader, two, two.image);
    await propose(leader, two);
    // Its checks before proposing are the attacker's to leave out; what the others make of it is not.
    const broken = vi.spyOn(Releases.prototype, "isCurrent").mockReturnValue(true);
    onTestFinished(() => broken.mockRestore());
    await upload(leader, old, old.image);
    expect(await propose(leader, old)).toMatchObject({ status: 200 });
    for (const name of ["a", "b"]) {
      await eventually(() => hosts.host(name).status().violations.length > 0);
      expect(hosts.host(name).status().violations).toEqual([
        expect.stringContaining("counts for nothing: It is release 1, and release 2 was agreed on before"),
      ]);
      const board = await hosts.host(name).join(name === "a" ? "north-1" : "north-2");
      expect(await fetchImage(board, old)).toBeUndefined();
    }
    expect((await listing(leader)).releases).toEqual([]);
    const other = ["a", "b"].find((name) => hosts.host(name) !== leader)!;
    expect(filesOf(hosts.stateDir, other)).toEqual([two.digest]);
    const audited = () => leader.request("/api/audit").then(({ body }) => body);
    await until(async () => (await audited()).includes("a release under covey/release/esp32c3-devkit"));
  }, 30_000);
});
