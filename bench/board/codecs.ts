/** The codecs that `codec-costs.ts` measures: the board's own, and the libraries that the hosts use. */
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { joinCore } from "../../host-tools/bundler/bundle.ts";
import { constDeclarations } from "../../host-tools/bundler/const-declarations.ts";

export interface Codec {
  readonly name: string;
  /** An ES module. */
  readonly source: string;
  /** Lines of a module that imports it: `operations` is an object of functions; each returns what a check compares. */
  readonly use: string;
  readonly operations: readonly string[];
}

export async function ownCbor(): Promise<Codec> {
  return {
    name: "the board's CBOR",
    source: await own(),
    use: `${given}
      const encoder = new codec.CborEncoder(4096, 256);
      const bytes = encoder.encode(request).slice();
      const operations = {
        encode: () => encoder.encode(request).length,
        decode: () => codec.decodeCbor(bytes)[7][0][4].length,
      };`,
    operations: ["encode", "decode"],
  };
}

export async function ownMqtt(): Promise<Codec> {
  return {
    name: "the board's MQTT",
    source: await own(),
    use: `${given}${packet}
      const writer = new codec.PacketWriter(4096);
      let seen = 0;
      const reader = new codec.PacketReader(4096, { onPacket(header, body) {
        const start = codec.publishPayloadStart(header & 15, body);
        seen = codec.publishTopic(body, start).length + body.subarray(start).length;
      } });
      const operations = {
        publish: () => writer.publish(topic, data).length,
        parse: () => { reader.push(packet); return seen; },
      };`,
    operations: ["publish", "parse"],
  };
}

export async function cborX(): Promise<Codec> {
  return {
    name: "cbor-x, its build without eval",
    source: await bundle('export { Encoder } from "cbor-x/index-no-eval";'),
    use: `${given}
      const encoder = new codec.Encoder({ useRecords: false, tagUint8Array: false });
      const bytes = encoder.encode(request).slice();
      const operations = {
        encode: () => encoder.encode(request).length,
        decode: () => encoder.decode(bytes)[7][0][4].length,
      };`,
    operations: ["encode", "decode"],
  };
}

export async function mqttPacket(): Promise<Codec> {
  return {
    name: "mqtt-packet, its streams stubbed",
    source: await bundle(mqttPacketEntry),
    use: `${given}${packet}
      codec.writeToStream.cacheNumbers = false;
      const parser = codec.parser();
      let seen = 0;
      parser.on("packet", ({ topic, payload }) => { seen = topic.length + payload.length; });
      const publish = { cmd: "publish", topic, payload: codec.Buffer.from(data), qos: 0 };
      const input = codec.Buffer.from(packet);
      const operations = {
        publish: () => codec.generate(publish).length,
        parse: () => { parser.parse(input); return seen; },
      };`,
    operations: ["publish", "parse"],
  };
}

/** What is encoded: an append request with one entry of 64 bytes, and a PUBLISH of 64 bytes. */
const given = `
  const data = new Uint8Array(64).fill(7);
  const request = [2, "host.00000001", "north-1.5f3a90c2", 3, 41, 3, 41, [[42, 3, 1, 1, data]]];
  const topic = "covey/greenhouse/up/north-1/report";
`;

const packet = `
  const packet = new Uint8Array(2 + 2 + topic.length + data.length);
  packet.set([0x30, packet.length - 2, 0, topic.length]);
  for (let i = 0; i < topic.length; i++) packet[4 + i] = topic.charCodeAt(i);
  packet.set(data, 4 + topic.length);
`;

/** As the bundler joins the core, so that it can be preloaded. */
async function own(): Promise<string> {
  return constDeclarations((await joinCore(fileURLToPath(new URL("own-codecs.ts", import.meta.url)))).code);
}

/** What mqtt-packet needs of Node, as little as works: a list of one buffer, and events. */
const mqttPacketEntry = `
  import mqtt from "mqtt-packet";
  import { Buffer } from "buffer";
  const { parser, generate, writeToStream } = mqtt;
  export { parser, generate, writeToStream, Buffer };
`;

const stubs: Readonly<Record<string, string>> = {
  debug: "module.exports = () => () => {};",
  // The package "buffer" assigns to toString, which a board's frozen built-ins refuse. This one knows ASCII only.
  buffer: `
    class Buffer extends Uint8Array {
      static from(from) {
        if (typeof from !== "string") return new Buffer(from);
        const bytes = new Buffer(from.length);
        bytes.write(from, 0);
        return bytes;
      }
      static alloc(size) { return new Buffer(size); }
      static allocUnsafe(size) { return new Buffer(size); }
      static isBuffer(value) { return value instanceof Buffer; }
      static byteLength(text) { return text.length; }
      static concat(list) {
        const whole = new Buffer(list.reduce((size, part) => size + part.length, 0));
        let at = 0;
        for (const part of list) { whole.set(part, at); at += part.length; }
        return whole;
      }
      slice(from, to) { return this.subarray(from, to); }
      copy(target, at) { target.set(this, at); }
      write(text, at) { for (let i = 0; i < text.length; i++) this[at + i] = text.charCodeAt(i); }
      toString(encoding, from = 0, to = this.length) { return String.fromCharCode(...this.subarray(from, to)); }
      readUInt8(at) { return this[at]; }
      readUInt16BE(at) { return this[at] * 256 + this[at + 1]; }
      readUInt32BE(at) { return this.readUInt16BE(at) * 65536 + this.readUInt16BE(at + 2); }
      writeUInt8(value, at) { this[at] = value; }
      writeUInt16BE(value, at) { this[at] = value >> 8; this[at + 1] = value; }
      writeUInt32BE(value, at) { this.writeUInt16BE(value >>> 16, at); this.writeUInt16BE(value, at + 2); }
    }
    module.exports = { Buffer };`,
  "process-nextick-args": "exports.nextTick = (callback) => { Promise.resolve().then(callback); };",
  bl: `
    const { Buffer } = require("buffer");
    class BufferList {
      constructor() { this.bytes = Buffer.alloc(0); }
      get length() { return this.bytes.length; }
      append(bytes) { this.bytes = this.bytes.length === 0 ? bytes : Buffer.concat([this.bytes, bytes]); }
      consume(count) { this.bytes = this.bytes.subarray(count); }
      slice(from, to) { return this.bytes.subarray(from, to); }
      toString(encoding, from, to) { return this.bytes.toString(encoding, from, to); }
      readUInt8(at) { return this.bytes[at]; }
      readUInt16BE(at) { return this.bytes.readUInt16BE(at); }
      readUInt32BE(at) { return this.bytes.readUInt32BE(at); }
    }
    module.exports = () => new BufferList();`,
};

async function bundle(contents: string): Promise<string> {
  const require = createRequire(import.meta.url);
  const result = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL("../..", import.meta.url)), loader: "js" },
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    mainFields: ["module", "main"],
    write: false,
    logLevel: "silent",
    plugins: [
      {
        name: "stubs",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^(debug|bl|buffer|process-nextick-args)$/ }, ({ path }) => ({
            path,
            namespace: "stub",
          }));
          onResolve({ filter: /^events$/ }, ({ path }) => ({ path: require.resolve(`${path}/`) }));
          onLoad({ filter: /.*/, namespace: "stub" }, ({ path }) => ({
            contents: stubs[path]!,
            resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
          }));
        },
      },
    ],
  });
  return result.outputFiles[0]!.text;
}
