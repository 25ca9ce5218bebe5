/**
 * `npx node bench/lan.ts`: how long boards need to have sessions with each other, and what that and keeping them alive costs the network. The boards' own code on a network of
 * virtual time (`test/firmware/lan/virtual-lan.ts`), where a datagram takes up to 30 ms one way; the curve takes no time there. 30 seeds a row.
 */
import { VirtualLan } from "../test/firmware/lan/virtual-lan.ts";
import { Random } from "../test/simulation/raft/random.ts";
import { percentile } from "./percentile.ts";
import { printTable } from "./table.ts";

const names = ["a", "b", "c", "d", "e", "f", "g"];
const seeds = 30;

for (const size of [3, 5, 7]) {
  const rows = [0, 0.1, 0.3].map((loss) => {
    const allMs: number[] = [];
    const backMs: number[] = [];
    let [sent, sentBytes, aliveBytes] = [0, 0, 0];
    for (let seed = 1; seed <= seeds; seed++) {
      const world = new VirtualLan(new Random(seed).next, { loss, twice: 0, delayMostMs: 30 });
      const boards = world.group(names.slice(0, size));
      allMs.push(world.until(() => boards.every((each) => each.isUpWithAll), 300_000));
      sent += world.sent.length;
      sentBytes += bytesOf(world);
      world.run(20_000);
      world.sent.length = 0;
      world.run(10_000);
      aliveBytes += bytesOf(world) / 10;
      // One is without power for 3 s.
      const [gone] = boards.slice(seed % size);
      gone!.powerOff();
      world.run(3_000);
      gone!.powerOn();
      gone!.lan.keepAlive(true);
      backMs.push(world.until(() => gone!.isUpWithAll, 300_000));
    }
    return {
      what: `${size} boards, ${loss * 100} % lost`,
      figure: `${percentile(allMs, 50)} ms`,
      how: `until all are up (p95 ${percentile(allMs, 95)}); ${Math.round(sent / seeds)} datagrams, ${Math.round(sentBytes / seeds)} B; one back after a power cut ${percentile(backMs, 50)} ms (p95 ${percentile(backMs, 95)}); kept alive: ${Math.round(aliveBytes / seeds / size)} B/s a board`,
    };
  });
  printTable(`${size} boards`, rows);
}

function bytesOf({ sent }: VirtualLan): number {
  return sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
}
