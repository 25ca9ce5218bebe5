/** Which boards an update changes, and from what to what: images laid beside the boards of the swarm. Everything that could go wrong on a board is said here first. */
import { type BoardDescription, imageBytesMax } from "../../boards/boards.ts";
import { chipLabel, chips } from "../../chips/chips.ts";
import type { BoardUpdate } from "../../leader/api/types/releases.ts";
import { WrongInput } from "../failure.ts";
import type { FirmwareImage } from "./firmware-images.ts";

export interface PlannedRelease {
  readonly model: string;
  readonly image: FirmwareImage;
  /** For people: `0.2.0`. */
  readonly firmware: string;
  readonly boards: readonly BoardUpdate[];
}

export interface PlanOptions {
  readonly images: readonly FirmwareImage[];
  /** All boards of the swarm. */
  readonly boards: readonly BoardUpdate[];
  /** Those named by the user; undefined for all that an image is for. */
  readonly names: readonly string[] | undefined;
  /** The kind of board that the image is for, where the user says so. */
  readonly model: string | undefined;
  /** What the firmware is called, if not as the image says. */
  readonly firmware: string | undefined;
  readonly models: ReadonlyMap<string, BoardDescription>;
}

/** At least one, each with at least one board. @throws {WrongInput} */
export function planUpdate(options: PlanOptions): PlannedRelease[] {
  const { images, boards, names, models, firmware } = options;
  const chosen = names === undefined ? boards : names.map((name) => boardNamed(name, boards));
  const planned = new Map<string, PlannedRelease>();
  for (const image of images) {
    const kinds = [...new Set(chosen.map(({ model }) => model))];
    const model = modelOf(image, kinds, options);
    if (model === undefined) continue;
    const before = planned.get(model);
    if (before !== undefined) {
      throw new WrongInput(
        `${before.image.source} and ${image.source} are both for ${model}; name the one that the boards are to run.`,
      );
    }
    checkSize(image, models.get(model)!);
    const of = chosen.filter((board) => board.model === model);
    planned.set(model, { model, image, firmware: firmware ?? image.version, boards: of });
  }
  refuseUncovered(chosen, planned, options);
  return [...planned.values()];
}

/** The kind of board that an image is for, where nobody says what boards there are. @throws {WrongInput} */
export function modelAlone(
  image: FirmwareImage,
  model: string | undefined,
  models: ReadonlyMap<string, BoardDescription>,
): string {
  const fitting = [...models.values()].filter(({ chip }) => chips[chip].id === image.chipId);
  const found =
    model ??
    onlyOne(
      image,
      fitting.map(({ name }) => name),
    );
  const known = models.get(found);
  if (known === undefined)
    throw new WrongInput(`There is no kind of board ${found}; covey boards lists them.`);
  checkChip(image, known);
  checkSize(image, known);
  return found;
}

/** undefined where none of these kinds can run it, and others were meant. @throws {WrongInput} */
function modelOf(
  image: FirmwareImage,
  kinds: readonly string[],
  { model, models, images, names }: PlanOptions,
): string | undefined {
  if (model !== undefined) {
    const known = models.get(model);
    if (known === undefined || !kinds.includes(model))
      throw new WrongInput(`None of these boards is of the kind ${model}; they are ${kinds.join(" and ")}.`);
    checkChip(image, known);
    return model;
  }
  const fitting = kinds.filter((kind) => {
    const chip = models.get(kind)?.chip;
    return chip !== undefined && chips[chip].id === image.chipId;
  });
  if (fitting.length > 0) return onlyOne(image, fitting);
  // A folder may hold images for boards that this swarm has not got.
  if (images.length > 1) return undefined;
  const whose = names === undefined ? "No board of this swarm has" : "None of these boards has";
  throw new WrongInput(`${whose} an ${chipLabel(image.chipId)}, for which ${image.source} was built.`);
}

/** Of several kinds with one chip, the one after which a folder on the image's way is named. @throws {WrongInput} */
function onlyOne({ source }: FirmwareImage, fitting: readonly string[]): string {
  if (fitting.length === 1) return fitting[0]!;
  const folders = source.split(/[\\/]/);
  const named = fitting.filter((kind) => folders.includes(kind));
  if (named.length === 1) return named[0]!;
  throw new WrongInput(
    `${source} could be for ${fitting.join(" or ")}, which have the same chip and other pins: say which with --model.`,
  );
}

function checkChip({ source, chipId }: FirmwareImage, { name, chip }: BoardDescription): void {
  if (chips[chip].id === chipId) return;
  throw new WrongInput(
    `${source} was built for an ${chipLabel(chipId)}, and ${name} has an ${chips[chip].label}.`,
  );
}

function checkSize({ source, bytes }: FirmwareImage, board: BoardDescription): void {
  const slotBytes = imageBytesMax(board);
  if (bytes.length <= slotBytes) return;
  throw new WrongInput(
    `${source} has ${count(bytes.length)} bytes, and a slot of ${board.name} ${count(slotBytes)}.`,
  );
}

/** Whoever is named is to be updated; and a swarm's kinds that an image alone does not cover are as they were. @throws {WrongInput} */
function refuseUncovered(
  chosen: readonly BoardUpdate[],
  planned: ReadonlyMap<string, PlannedRelease>,
  { names }: PlanOptions,
): void {
  const left = chosen.filter(({ model }) => !planned.has(model));
  if (planned.size > 0 && (names === undefined || left.length === 0)) return;
  const [first] = left;
  if (first === undefined) throw new WrongInput("This swarm has no boards.");
  throw new WrongInput(
    `No image here is for ${first.id}, which is of the kind ${first.model}; build one with covey build.`,
  );
}

function boardNamed(name: string, boards: readonly BoardUpdate[]): BoardUpdate {
  const found = boards.find(({ id }) => id === name);
  if (found !== undefined) return found;
  throw new WrongInput(
    `This swarm has no board ${name}; it has ${boards.map(({ id }) => id).join(", ") || "none"}.`,
  );
}

export function count(bytes: number): string {
  return bytes.toLocaleString("en-US");
}
