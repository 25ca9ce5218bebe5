/** What tests ask of a host about checkpoints. */
import type {
  CheckpointDifference,
  CheckpointListing,
  CheckpointRestored,
  RestoreUnderWay,
} from "../../../../host-tools/leader/api/types/checkpoints.ts";
import type { LogEntry } from "../../../../host-tools/leader/api/types/log.ts";
import type { LeaderUnderTest } from "../leader-under-test.ts";

const json = { "content-type": "application/json" };

export function ask(host: LeaderUnderTest) {
  const send = async (method: string, path: string, body?: object) => {
    const init = body === undefined ? { method } : { method, headers: json, body: JSON.stringify(body) };
    const answer = await host.request(path, init);
    return { status: answer.status, ...JSON.parse(answer.body) };
  };
  return {
    create: (name: string) => send("POST", "/api/checkpoints", { name }),
    delete: (name: string) => send("POST", "/api/checkpoints/delete", { name }),
    list: (): Promise<CheckpointListing> => send("GET", "/api/checkpoints"),
    diff: (from: string, to: string, more = ""): Promise<CheckpointDifference & { status: number }> =>
      send("GET", `/api/checkpoints/diff?from=${from}&to=${to}${more}`),
    restore: (
      name: string,
      shown: string,
      more: object = {},
    ): Promise<CheckpointRestored & { status: number; error?: { code: string; message: string } }> =>
      send("PUT", "/api/checkpoints/restore", { name, shown, ...more }),
    underWay: (): Promise<Partial<RestoreUnderWay>> => send("GET", "/api/checkpoints/restore"),
    log: async (limit: number) =>
      JSON.parse((await host.request(`/api/log?limit=${limit}`)).body) as LogEntry[],
    settings: async () => {
      const all = await send("GET", "/api/settings");
      return [all["fan.duty"].value, all["door.lamp"].value, all["door.text"].value];
    },
  };
}
