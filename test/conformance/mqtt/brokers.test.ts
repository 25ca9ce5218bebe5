/** The board's MQTT session is not made for one broker: the same bytes satisfy brokers of other makes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BoardClient } from "./board-client.ts";
import { type BrokerProcess, startBroker } from "./broker-process.ts";

describe.each(["mosquitto", "nats-server"] as const)("with %s", (name) => {
  let broker: BrokerProcess;

  beforeAll(async () => {
    broker = await startBroker(name);
  });

  afterAll(() => broker?.stop());

  it("receives what is published to its filter, and nothing else, in order", async () => {
    const board = new BoardClient(broker.port, "north-1", "covey/test/down/north-1/#");
    const host = new BoardClient(broker.port, "host", "covey/test/up/#");
    await Promise.all([board.ready, host.ready]);
    for (let number = 0; number < 200; number++) {
      host.publish("covey/test/down/north-2/raft", "for another");
      host.publish("covey/test/down/north-1/raft", `entry ${number}, ${"x".repeat(number)}`);
    }
    const arrivals = await board.until(200);
    expect(arrivals.every(({ topic }) => topic === "covey/test/down/north-1/raft")).toBe(true);
    expect(arrivals.map(({ text }) => Number.parseInt(text.slice(6), 10))).toEqual([...Array(200).keys()]);
    board.publish("covey/test/up/north-1/report", "22.5 °C");
    expect(await host.until(1)).toEqual([{ topic: "covey/test/up/north-1/report", text: "22.5 °C" }]);
    board.vanish();
    host.vanish();
  });

  it("leaves its last will when it vanishes", async () => {
    const host = new BoardClient(broker.port, "witness", "covey/test/up/#");
    const board = new BoardClient(broker.port, "south-1", "covey/test/down/south-1/#");
    await Promise.all([board.ready, host.ready]);
    board.vanish();
    const [will] = await host.until(1);
    expect(will).toEqual({ topic: "covey/test/up/south-1/gone", text: "south-1" });
    host.vanish();
  });
});
