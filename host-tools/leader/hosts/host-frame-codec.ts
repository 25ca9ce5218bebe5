/** The frames of `host-frames.ts` to CBOR and back, each item checked. */
import { ItemReader, ShapeError } from "../../../protocols/cbor/shape.ts";
import type { CborValue } from "../../../protocols/cbor/value.ts";
import { keepingLimits, keptBlockFromWire, keptBlockToWire } from "../../../protocols/keeping/block.ts";
import { messageLimits } from "../../../protocols/messages/board-messages.ts";
import { limits, type MemberId } from "../../../protocols/raft/types.ts";
import { taskLimits } from "../../../protocols/tasks/placement.ts";
import { chunkDataBytes } from "../../../protocols/update/chunks.ts";
import { updateLimits } from "../../../protocols/update/messages.ts";
import { digestBytes } from "../../../protocols/update/release.ts";
import {
  type HostFrame,
  type HostHello,
  type HostRole,
  type HostState,
  hostFrameLimits,
  hostWireVersion,
  type TelemetryChannel,
} from "./host-frames.ts";

export function frameToWire(frame: HostFrame): CborValue {
  switch (frame.kind) {
    case "hello":
      return [kinds.hello, hostWireVersion, frame.swarm, frame.host, frame.hasLog, frame.url];
    case "refused":
      return [kinds.refused, frame.why];
    case "state": {
      const { role, term, commitIndex, appliedIndex, leaderId, memberId, ready, lingering } = frame;
      const figures = [roles.indexOf(role), term, commitIndex, appliedIndex];
      return [kinds.state, ...figures, leaderId ?? null, memberId ?? null, ready, lingering];
    }
    case "raft":
      return [kinds.raft, frame.message];
    case "board":
      return [kinds.board, frame.board, frame.hello];
    case "gone":
      return [kinds.gone, frame.board];
    case "query":
      return [kinds.query, frame.board, frame.payload];
    case "publication":
      return [kinds.publication, frame.payload];
    case "telemetry":
      return [kinds.telemetry, frame.board, telemetryChannels.indexOf(frame.channel), frame.payload];
    case "grant":
      return [kinds.grant, frame.holder, frame.payload];
    case "claim":
      return [kinds.claim, frame.payload];
    case "aggregate":
      return [kinds.aggregate, frame.task, frame.token, frame.atMs, frame.value];
    case "keep":
      return [kinds.keep, frame.board, frame.payload];
    case "keep-ask":
      return [kinds.keepAsk, frame.number, frame.waiting, frame.short, frame.lost];
    case "keep-index":
      return [kinds.keepIndex, frame.number, frame.index];
    case "keep-accept":
      return [kinds.keepAccept, frame.short, frame.lost];
    case "past":
      return [kinds.past, frame.blocks.map(keptBlockToWire)];
    case "order":
      return [kinds.order, frame.board, frame.payload];
    case "sender-key":
      return [kinds.senderKey, frame.key];
    case "images":
      return [kinds.images, frame.images];
    case "image-want":
      return [kinds.imageWant, frame.image, frame.chunk, frame.count];
    case "image-piece":
      return [kinds.imagePiece, frame.image, frame.chunk, frame.chunks ?? null];
  }
}

/** undefined for a kind that is not known here. @throws {ShapeError} */
export function frameFromWire(value: CborValue): HostFrame | undefined {
  const items = new ItemReader(value, "host frame", "", 1);
  const kind = items.integer("the kind", 0, 65_535);
  switch (kind) {
    case kinds.hello:
      return readHello(items);
    case kinds.refused:
      return { kind: "refused", why: items.text("the reason", hostFrameLimits.textBytesMax) };
    case kinds.state:
      return readState(items);
    case kinds.raft:
      return { kind: "raft", message: items.any() };
    case kinds.board:
      return { kind: "board", board: readName(items), hello: readPayload(items) };
    case kinds.gone:
      return { kind: "gone", board: readName(items) };
    case kinds.query:
      return { kind: "query", board: readName(items), payload: readPayload(items) };
    case kinds.publication:
      return {
        kind: "publication",
        payload: items.bytes("the payload", hostFrameLimits.publicationBytesMax),
      };
    case kinds.telemetry: {
      const board = readName(items);
      const channel = telemetryChannels[items.integer("the channel", 0, telemetryChannels.length - 1)]!;
      return { kind: "telemetry", board, channel, payload: readPayload(items) };
    }
    case kinds.grant:
      return { kind: "grant", holder: readName(items), payload: readPayload(items) };
    case kinds.claim:
      return { kind: "claim", payload: readPayload(items) };
    case kinds.aggregate: {
      const task = items.text("the task", taskLimits.nameLengthMax);
      const token = items.integer("the token", 1, taskLimits.tokenMax);
      const atMs = items.integer("the time", 0, Number.MAX_SAFE_INTEGER);
      return {
        kind: "aggregate",
        task,
        token,
        atMs,
        value: items.number("the value", -Number.MAX_VALUE, Number.MAX_VALUE),
      };
    }
    case kinds.keep:
      return { kind: "keep", board: readName(items), payload: readPayload(items) };
    case kinds.keepAsk: {
      const [number, waiting, short, lost] = ["number", "waiting", "short", "lost"].map((what) =>
        items.integer(what, 0, Number.MAX_SAFE_INTEGER),
      ) as [number, number, number, number];
      return { kind: "keep-ask", number, waiting, short, lost };
    }
    case kinds.keepIndex: {
      const number = items.integer("the number", 0, Number.MAX_SAFE_INTEGER);
      return { kind: "keep-index", number, index: items.integer("the index", 0, Number.MAX_SAFE_INTEGER) };
    }
    case kinds.keepAccept: {
      const short = items.integer("short", 0, Number.MAX_SAFE_INTEGER);
      return { kind: "keep-accept", short, lost: items.integer("lost", 0, Number.MAX_SAFE_INTEGER) };
    }
    case kinds.past:
      return {
        kind: "past",
        blocks: items.array("the blocks", keepingLimits.blocksMax).map((block) => keptBlockFromWire(block)),
      };
    case kinds.order:
      return { kind: "order", board: readName(items), payload: readPayload(items) };
    case kinds.senderKey:
      return { kind: "sender-key", key: items.any() };
    case kinds.images:
      return {
        kind: "images",
        images: readBytes(items, "the images", imagesMax, imageIdBytes, imageIdBytes),
      };
    case kinds.imageWant: {
      const image = items.bytesOf("the image", imageIdBytes);
      const chunk = items.integer("the chunk", 0, updateLimits.chunkMax);
      return { kind: "image-want", image, chunk, count: items.integer("the count", 1, pieceChunksMax) };
    }
    case kinds.imagePiece: {
      const image = items.bytesOf("the image", imageIdBytes);
      const chunk = items.integer("the chunk", 0, updateLimits.chunkMax);
      const bytesMax = chunkDataBytes + digestBytes;
      const chunks = items.isNone() ? undefined : readBytes(items, "the chunks", pieceChunksMax, 1, bytesMax);
      return { kind: "image-piece", image, chunk, chunks };
    }
    default:
      return undefined;
  }
}

const kinds = {
  hello: 0,
  refused: 1,
  state: 2,
  raft: 3,
  board: 4,
  gone: 5,
  publication: 6,
  telemetry: 7,
  senderKey: 8,
  images: 9,
  imageWant: 10,
  imagePiece: 11,
  query: 12,
  grant: 13,
  claim: 14,
  aggregate: 15,
  keep: 16,
  keepAsk: 17,
  keepIndex: 18,
  past: 19,
  order: 20,
  keepAccept: 21,
} as const;
const { imagesMax, pieceChunksMax } = hostFrameLimits;
const { imageIdBytes } = updateLimits;
const roles: readonly HostRole[] = ["follower", "candidate", "leader"];
const telemetryChannels: readonly TelemetryChannel[] = [
  ...(["report", "health", "query", "action", "lease", "turn", "keep", "register"] as const),
];

function readHello(items: ItemReader): HostHello {
  const version = items.integer("the version", 1, Number.MAX_SAFE_INTEGER);
  if (version !== hostWireVersion) {
    throw new ShapeError("host frame", "the version", `${hostWireVersion}: update the older host`, version);
  }
  const swarm = readName(items);
  const host = readName(items);
  const hasLog = readBoolean(items);
  return { kind: "hello", swarm, host, hasLog, url: items.text("the url", hostFrameLimits.textBytesMax) };
}

function readState(items: ItemReader): HostState {
  const role = roles[items.integer("the role", 0, roles.length - 1)]!;
  const [term, commitIndex, appliedIndex] = ["term", "commit index", "applied index"].map((what) =>
    items.integer(`the ${what}`, 0, Number.MAX_SAFE_INTEGER),
  ) as [number, number, number];
  const leaderId = readMember(items);
  const memberId = readMember(items);
  const [ready, lingering] = [readTasks(items), readTasks(items)];
  return { kind: "state", role, term, commitIndex, appliedIndex, leaderId, memberId, ready, lingering };
}

function readTasks(items: ItemReader): string[] {
  return items.array("the tasks", taskLimits.tasksMax).map((value) => {
    if (typeof value === "string" && value.length <= taskLimits.nameLengthMax) return value;
    throw new ShapeError("host frame", "a task", "a name", value);
  });
}

function readName(items: ItemReader): string {
  return items.text("the name", hostFrameLimits.textBytesMax);
}

function readPayload(items: ItemReader): Uint8Array {
  return items.bytes("the payload", messageLimits.payloadBytesMax);
}

function readBytes(
  items: ItemReader,
  item: string,
  countMax: number,
  lengthMin: number,
  lengthMax: number,
): Uint8Array[] {
  return items.array(item, countMax).map((value) => {
    const isSound = value instanceof Uint8Array && value.length >= lengthMin && value.length <= lengthMax;
    if (!isSound) throw new ShapeError("host frame", item, `${lengthMin} to ${lengthMax} bytes each`, value);
    return value;
  });
}

function readBoolean(items: ItemReader): boolean {
  const value = items.any();
  if (typeof value === "boolean") return value;
  throw new ShapeError("host frame", "a flag", "true or false", value);
}

function readMember(items: ItemReader): MemberId | undefined {
  const value = items.any() ?? null;
  if (value === null) return undefined;
  if (typeof value === "string" && value.length <= limits.memberIdBytesMax) return value;
  throw new ShapeError("host frame", "a member", "an id or null", value);
}
