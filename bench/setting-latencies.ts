/** A thread that sets `level` at a host again and again until it is told to end, and then says how many ms each took. */
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";

const everyMs = 50;

let isOver = false;
parentPort!.once("message", () => {
  isOver = true;
});
const latencies: number[] = [];
for (let value = 1; !isOver; value++) {
  const startMs = performance.now();
  const response = await fetch(`${workerData as string}/api/settings/level`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ value }),
  });
  if (!response.ok) throw new Error(await response.text());
  await response.body?.cancel();
  latencies.push(performance.now() - startMs);
  await sleep(everyMs);
}
parentPort!.postMessage(latencies);
