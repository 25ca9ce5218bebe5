/** Images of firmware from a file or a folder: each whole, an application, and this program's. */
import { readFile, stat } from "node:fs/promises";
import { readLayouts } from "../../flasher/image-files.ts";
import { chipProject, readAppImage, simulatorProject } from "../../images/app-image.ts";
import { ImageError } from "../../images/image-error.ts";
import { LayoutError } from "../../images/layout.ts";
import { imageBytesMax, isMerged } from "../../images/merge.ts";
import { WrongInput } from "../failure.ts";

export interface FirmwareImage {
  /** File or folder that it came from. */
  readonly source: string;
  readonly bytes: Uint8Array;
  readonly chipId: number;
  /** As it says in its descriptor. */
  readonly version: string;
  /** For the simulator, and for no chip. */
  readonly isSimulated: boolean;
}

/** At least one. @throws {WrongInput} */
export async function readFirmware(path: string): Promise<FirmwareImage[]> {
  try {
    return (await appsOf(path)).map(({ source, bytes }) => checked(source, bytes));
  } catch (error) {
    if (error instanceof ImageError) throw new WrongInput(`${path}: ${error.message}`);
    if (error instanceof LayoutError) throw new WrongInput(error.message);
    throw error;
  }
}

interface App {
  readonly source: string;
  readonly bytes: Uint8Array;
}

async function appsOf(path: string): Promise<App[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined)
    throw new WrongInput(
      `There is no ${path}; build firmware with covey build, and name its file or folder.`,
    );
  if (found.isFile()) {
    if (found.size > imageBytesMax) throw new WrongInput(`${path} is larger than any flash of an ESP32.`);
    const bytes = new Uint8Array(await readFile(path));
    if (!isMerged(bytes)) return [{ source: path, bytes }];
  }
  return (await readLayouts(path)).map(({ source, app }) => {
    if (app === undefined) throw new WrongInput(`${source} has no application in it; build it again.`);
    // In the image of a whole flash, the rest of the partition follows.
    const { sizeBytes } = readAppImage(app.bytes);
    return { source, bytes: found.isFile() ? app.bytes.slice(0, sizeBytes) : app.bytes };
  });
}

function checked(source: string, bytes: Uint8Array): FirmwareImage {
  const { chipId, app } = readAppImage(bytes);
  if (app === undefined)
    throw new WrongInput(
      `${source} is a bootloader; an update takes the application beside it (xs_esp32.bin).`,
    );
  if (app.project !== chipProject && app.project !== simulatorProject) {
    throw new WrongInput(
      `${source} is firmware of another project (${app.project} ${app.version}); an update takes what covey build makes.`,
    );
  }
  return { source, bytes, chipId, version: app.version, isSimulated: app.project === simulatorProject };
}
