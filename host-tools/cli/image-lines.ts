/** What `covey image info` shows of a file: lines for people, one value for programs. Texts and blobs of an NVS may be secrets: only their lengths are told, unless asked. */
import { chipLabel, revisionText } from "../chips/chips.ts";
import { type AppImage, simulatorProject } from "../images/app-image.ts";
import type { Identified, PartitionContent } from "../images/identify.ts";
import type { NvsItem } from "../images/nvs/format.ts";
import type { OtaSelection } from "../images/ota-data.ts";
import { describeType, type Partition } from "../images/partition-table.ts";
import { type Cell, type Column, cell, type Paint, table } from "./live-view/table.ts";

/** Lines are as long as what they say: of a value nothing is left out. */
export function infoLines(found: Identified, showValues: boolean, paint: Paint): string[] {
  const tableOf = (titles: readonly string[], rows: readonly (readonly string[])[]) =>
    table(
      titles.map(columnOf),
      rows.map((row) => row.map((text): Cell => cell(text))),
      Number.MAX_SAFE_INTEGER,
      paint,
    ).map((line) => line.trimEnd());
  const facts = (pairs: readonly (readonly [string, string])[]) => tableOf(["", ""], pairs).slice(1);
  switch (found.kind) {
    case "app":
    case "bootloader":
      return facts([["kind", found.kind], ...imageFacts(found.image)]);
    case "partition table":
      return tableOf(["name", "type", "offset", "size", "flags"], found.partitions.map(partitionRow));
    case "otadata":
      return facts([
        ["kind", "otadata"],
        ["selection", selectionText(found.selection, "of two slots, ")],
      ]);
    case "NVS keys":
      return facts([["kind", "keys of an encrypted NVS, sound; they are not shown"]]);
    case "NVS":
      if (found.items.length === 0) return facts([["kind", "NVS without values"]]);
      return tableOf(
        ["namespace", "key", "type", "value"],
        found.items.map((item) => itemRow(item, showValues)),
      );
    case "flash":
      return [
        ...facts([
          ["kind", `flash of an ${found.chip.label}`],
          ["boots", found.boots ?? "no app"],
        ]),
        "",
        ...tableOf(
          ["name", "type", "offset", "size", "holds"],
          found.contents.map(({ partition, holds }) => [
            ...partitionRow(partition).slice(0, 4),
            holdsText(holds),
          ]),
        ),
      ];
  }
}

export function infoJson(found: Identified, showValues: boolean): unknown {
  switch (found.kind) {
    case "app":
    case "bootloader":
      return { kind: found.kind, ...imageJson(found.image) };
    case "partition table":
      return { kind: found.kind, partitions: found.partitions.map(partitionJson) };
    case "otadata":
      return { kind: found.kind, sequence: found.selection.sequence, state: found.selection.state };
    case "NVS keys":
      return { kind: found.kind };
    case "NVS":
      return { kind: found.kind, values: found.items.map((item) => itemJson(item, showValues)) };
    case "flash":
      return {
        kind: found.kind,
        chip: found.chip.name,
        boots: found.boots ?? null,
        bootloader: imageJson(found.bootloader),
        partitions: found.contents.map(({ partition, holds }) => ({
          ...partitionJson(partition),
          holds: holdsJson(holds, showValues),
        })),
      };
  }
}

export function partitionJson(partition: Partition) {
  const { name, type, subtype, offsetBytes, sizeBytes, flags } = partition;
  return { name, kind: describeType(partition), type, subtype, offsetBytes, sizeBytes, flags };
}

function columnOf(title: string): Column {
  return { title, min: 4, max: Number.MAX_SAFE_INTEGER };
}

function imageFacts(image: AppImage): [string, string][] {
  const { app, chipId, minRevision, maxRevision, flash, sizeBytes, sha256 } = image;
  const upTo = maxRevision === 0xffff ? "" : ` to ${revisionText(maxRevision)}`;
  return [
    ...(app === undefined
      ? []
      : ([
          ["project", `${app.project} ${app.version}`],
          [
            "built",
            `${app.built}, ${app.project === simulatorProject ? "for Covey's simulator" : `ESP-IDF ${app.idfVersion}`}`,
          ],
          [app.project === simulatorProject ? "bytecode" : "ELF", Buffer.from(app.elfSha256).toString("hex")],
        ] satisfies [string, string][])),
    ["chip", `${chipLabel(chipId)}, from ${revisionText(minRevision)}${upTo}`],
    [
      "flash",
      `${flash.sizeBytes / 1_048_576} MiB, ${["QIO", "QOUT", "DIO", "DOUT"][flash.mode] ?? `mode ${flash.mode}`}`,
    ],
    [
      "size",
      `${sizeBytes.toLocaleString("en-US")} bytes, ${image.segments.length === 1 ? "one segment" : `${image.segments.length} segments`}`,
    ],
    [
      "sound",
      sha256 === undefined ? "by its checksum; it has no SHA-256" : "by its checksum and its SHA-256",
    ],
  ];
}

function imageJson(image: AppImage) {
  const { app, chipId, sha256, ...rest } = image;
  return {
    chip: chipLabel(chipId),
    chipId,
    ...rest,
    app: app === undefined ? null : { ...app, elfSha256: Buffer.from(app.elfSha256).toString("hex") },
    sha256: sha256 === undefined ? null : Buffer.from(sha256).toString("hex"),
  };
}

function partitionRow(partition: Partition): string[] {
  const { name, offsetBytes, sizeBytes, flags } = partition;
  const words = ["encrypted", "read-only"].filter((_, bit) => (flags & (1 << bit)) !== 0);
  return [name, describeType(partition), hex(offsetBytes), sizeText(sizeBytes), words.join(", ")];
}

function itemRow(item: NvsItem, showValues: boolean): string[] {
  return [item.namespace, item.key, item.type, valueText(item, showValues)];
}

function valueText(item: NvsItem, showValues: boolean): string {
  if (item.type === "text") {
    return showValues ? JSON.stringify(item.value) : `${new TextEncoder().encode(item.value).length} bytes`;
  }
  if (item.type !== "blob") return `${item.value}`;
  return showValues ? Buffer.from(item.value).toString("hex") : `${item.value.length} bytes`;
}

function itemJson(item: NvsItem, showValues: boolean) {
  const { namespace, key, type } = item;
  if (type === "text" || type === "blob") {
    const bytes = type === "text" ? new TextEncoder().encode(item.value) : item.value;
    const value = type === "text" ? item.value : Buffer.from(bytes).toString("hex");
    return { namespace, key, type, lengthBytes: bytes.length, ...(showValues ? { value } : {}) };
  }
  // JSON has no number of 64 bits.
  return { namespace, key, type, value: type.endsWith("64") ? `${item.value}` : Number(item.value) };
}

function holdsText(holds: PartitionContent["holds"]): string {
  switch (holds.what) {
    case "nothing":
      return "nothing";
    case "app": {
      const { app, sizeBytes } = holds.image;
      const size = `${sizeBytes.toLocaleString("en-US")} bytes`;
      return app === undefined ? `an app, ${size}` : `${app.project} ${app.version}, ${size}`;
    }
    case "values":
      return `${holds.items.length} values`;
    case "selection":
      return selectionText(holds.selection, "");
    case "bytes":
      return "data";
    case "damage":
      return `damaged: ${holds.problem}`;
  }
}

function holdsJson(holds: PartitionContent["holds"], showValues: boolean): unknown {
  if (holds.what === "app") return { what: holds.what, ...imageJson(holds.image) };
  if (holds.what === "values") {
    return { what: holds.what, values: holds.items.map((item) => itemJson(item, showValues)) };
  }
  return holds.what === "selection" ? { what: holds.what, ...holds.selection } : holds;
}

function selectionText({ slot, sequence, state }: OtaSelection, of: string): string {
  const said = state === "undefined" ? "" : `, ${state}`;
  return `${of}ota_${slot} boots (sequence ${sequence}${said})`;
}

function sizeText(bytes: number): string {
  if (bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  return bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} bytes`;
}

function hex(bytes: number): string {
  return `0x${bytes.toString(16).padStart(6, "0")}`;
}
