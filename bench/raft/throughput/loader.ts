/** The loader's process: `node loader.ts '{"system":"etcd","url":...,"clients":16,...}'` prints one `Throughput` as JSON. */
import { CoveyClient } from "./covey-client.ts";
import { EtcdClient } from "./etcd-client.ts";
import { type Load, measureLoad } from "./load.ts";

export interface LoaderTask extends Load {
  readonly system: "covey" | "etcd";
  /** Of the leader. */
  readonly url: string;
}

const task = JSON.parse(process.argv[2]!) as LoaderTask;
const client =
  task.system === "etcd" ? new EtcdClient(task.url, task.clients) : new CoveyClient(task.url, task.clients);
const throughput = await measureLoad(client, task);
client.close();
process.stdout.write(`${JSON.stringify(throughput)}\n`);
