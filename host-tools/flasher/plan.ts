/** What must hold between a layout and the chip that it is for, before a byte is written. Pure. */
import { chipLabel, revisionText, sectorBytes } from "../chips/chips.ts";
import { type AppImage, readAppImage } from "../images/app-image.ts";
import { ImageError } from "../images/image-error.ts";
import { type Layout, layoutProblems, type Piece } from "../images/layout.ts";
import { checkPartitions } from "../images/partition-table.ts";
import type { ChipFacts } from "./chip-facts.ts";

/** Why this layout must not be written to this chip, a sentence each; empty when it may. */
export function refusals(layout: Layout, facts: ChipFacts): string[] {
  if (layout.chipId !== facts.id) {
    return [
      `The image in ${layout.source} is for an ${chipLabel(layout.chipId)}, and this board has an ${facts.label}: build it for this kind of board.`,
    ];
  }
  return [
    ...layoutProblems(layout),
    ...headersOf(layout).flatMap(([piece, image]) => headerRefusals(piece, image, facts)),
    ...sizeRefusals(layout, facts),
    ...overlapRefusals(layout),
  ];
}

/** Of the images that boot; what is damaged is told by `layoutProblems`. */
function headersOf({ pieces, app }: Layout): [Piece, AppImage][] {
  return pieces.flatMap((piece): [Piece, AppImage][] => {
    if (piece !== app && piece.name !== "bootloader") return [];
    try {
      return [[piece, readAppImage(piece.bytes)]];
    } catch (error) {
      if (error instanceof ImageError) return [];
      throw error;
    }
  });
}

function headerRefusals({ name }: Piece, image: AppImage, facts: ChipFacts): string[] {
  const problems: string[] = [];
  const { minRevision, maxRevision, flash } = image;
  if (minRevision > facts.revision) {
    problems.push(
      `The ${name} needs an ${facts.label} of revision ${revisionText(minRevision)} or later, and this one is ${revisionText(facts.revision)}: build it for earlier revisions.`,
    );
  }
  // 65,535 and 0 say nothing.
  if (maxRevision !== 0 && maxRevision < facts.revision) {
    problems.push(
      `The ${name} is for an ${facts.label} up to revision ${revisionText(maxRevision)}, and this one is ${revisionText(facts.revision)}: build it with a later ESP-IDF.`,
    );
  }
  if (flash.sizeBytes > facts.flashBytes) {
    problems.push(
      `The ${name} is for a flash of ${megabytes(flash.sizeBytes)}, and this board has ${megabytes(facts.flashBytes)}: build it for this kind of board.`,
    );
  }
  return problems;
}

function sizeRefusals({ pieces, partitions }: Layout, { flashBytes }: ChipFacts): string[] {
  const problems = checkPartitions(partitions, flashBytes);
  for (const { name, offsetBytes, bytes } of pieces) {
    if (offsetBytes + bytes.length > flashBytes) {
      problems.push(
        `${name} would end at ${hex(offsetBytes + bytes.length)}, and the flash ends at ${hex(flashBytes)}.`,
      );
    }
  }
  return problems;
}

/** Two pieces in one sector count too: the second one's erase would take the first one. */
function overlapRefusals({ pieces }: Layout): string[] {
  const problems: string[] = [];
  for (const [i, piece] of pieces.entries()) {
    const before = pieces[i - 1];
    if (piece.offsetBytes % sectorBytes !== 0)
      problems.push(`${piece.name} begins at ${hex(piece.offsetBytes)}, which is no multiple of a sector.`);
    if (before !== undefined && before.offsetBytes + before.bytes.length > piece.offsetBytes) {
      problems.push(
        `${before.name} ends at ${hex(before.offsetBytes + before.bytes.length)}, over ${piece.name} at ${hex(piece.offsetBytes)}.`,
      );
    }
  }
  return problems;
}

function megabytes(bytes: number): string {
  return `${bytes / 1_048_576} MB`;
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
