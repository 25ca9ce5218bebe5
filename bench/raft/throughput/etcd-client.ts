/**
 * Just enough of etcd's client to put a key: gRPC over node:http2, one unary call to `etcdserverpb.KV/Put`, keep-alive connections
 * that carry many calls at once. etcd's own client library does the same with the same messages.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import type { PutClient } from "./load.ts";

/** Calls that share a connection; more connections than this made etcd no faster here. */
const callsPerConnection = 32;

export class EtcdClient implements PutClient {
  readonly #sessions: ClientHttp2Session[];

  /** `url` is the leader's: a follower would pass the call on. */
  constructor(url: string, clients: number) {
    const count = Math.ceil(clients / callsPerConnection);
    this.#sessions = Array.from({ length: count }, () => connect(url));
  }

  /** Resolves once the put is committed and applied; rejects with what gRPC says. */
  put(client: number, key: string, value: string): Promise<void> {
    const session = this.#sessions[client % this.#sessions.length]!;
    return new Promise((resolve, reject) => {
      const call = session.request(callHeaders);
      let status: unknown;
      // A refusal without an answer comes as headers alone, anything else as trailers.
      call.on("response", (headers) => {
        status = headers["grpc-status"];
      });
      call.on("trailers", (trailers) => {
        status ??= trailers["grpc-status"];
      });
      call.on("error", reject);
      call.on("close", () => {
        if (status === "0") resolve();
        else reject(new Error(`etcd answered Put with gRPC status ${String(status)}.`));
      });
      call.resume();
      call.end(putCall(key, value));
    });
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }
}

const callHeaders = Object.freeze({
  ":method": "POST",
  ":path": "/etcdserverpb.KV/Put",
  "content-type": "application/grpc",
  te: "trailers",
});

/** gRPC's frame (not compressed, length) around `PutRequest { bytes key = 1; bytes value = 2; }`; both under 128 bytes. */
function putCall(key: string, value: string): Buffer {
  const message = Buffer.concat([bytesField(1, key), bytesField(2, value)]);
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return Buffer.concat([frame, message]);
}

function bytesField(number: number, text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length > 127)
    throw new RangeError(`${bytes.length} bytes need a longer length than this writes.`);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}
