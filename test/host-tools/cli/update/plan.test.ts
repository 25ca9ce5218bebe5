import { describe, expect, it } from "vitest";
import { loadBoards } from "../../../../host-tools/boards/boards.ts";
import { chips } from "../../../../host-tools/chips/chips.ts";
import type { FirmwareImage } from "../../../../host-tools/cli/update/firmware-images.ts";
import { modelAlone, type PlanOptions, planUpdate } from "../../../../host-tools/cli/update/plan.ts";
import type { BoardUpdate } from "../../../../host-tools/leader/api/types/releases.ts";

const models = loadBoards();

function board(id: string, model: string): BoardUpdate {
  return { id, model, link: "up", role: "learner", firmware: undefined, target: 0 };
}

function image(source: string, chip: keyof typeof chips): FirmwareImage {
  return { source, bytes: new Uint8Array(100), chipId: chips[chip].id, version: "0.2.0", isSimulated: false };
}

const boards = [
  board("north", "esp32c3-devkit"),
  board("south", "esp32c3-devkit"),
  board("tiny", "xiao-esp32c3"),
  board("hall", "esp32s3-devkit"),
];

function plan(options: Partial<PlanOptions> & Pick<PlanOptions, "images">): string[] {
  const nothing = { names: undefined, model: undefined, firmware: undefined };
  return planUpdate({ boards, models, ...nothing, ...options }).map(
    ({ model, firmware, image: { source }, boards: of }) =>
      `${source} ${firmware} ${model}: ${of.map(({ id }) => id).join(" ")}`,
  );
}

describe("an update's plan", () => {
  it("gives each kind of board the image that is in a folder of its name", () => {
    const images = [
      image("build/boards/esp32c3-devkit/sdk", "esp32c3"),
      image("build/boards/xiao-esp32c3/sdk", "esp32c3"),
      image("build/boards/esp32-devkit/sdk", "esp32"),
    ];
    expect(plan({ images })).toEqual([
      "build/boards/esp32c3-devkit/sdk 0.2.0 esp32c3-devkit: north south",
      "build/boards/xiao-esp32c3/sdk 0.2.0 xiao-esp32c3: tiny",
    ]);
  });

  it("asks which kind is meant where several have the chip", () => {
    const images = [image("firmware.bin", "esp32c3")];
    expect(() => plan({ images })).toThrow(/could be for esp32c3-devkit or xiao-esp32c3.+--model/);
    expect(plan({ images, model: "xiao-esp32c3", firmware: "1.0" })).toEqual([
      "firmware.bin 1.0 xiao-esp32c3: tiny",
    ]);
    expect(plan({ images, names: ["south"] })).toEqual(["firmware.bin 0.2.0 esp32c3-devkit: south"]);
  });

  it("refuses a board that is named and that no image is for, and two images for one kind", () => {
    const images = [image("firmware.bin", "esp32c3")];
    expect(() => plan({ images, names: ["north", "hall"] })).toThrow(
      /No image here is for hall, which is of the kind esp32s3-devkit/,
    );
    const twice = [image("a/esp32s3-devkit/x", "esp32s3"), image("b/esp32s3-devkit/x", "esp32s3")];
    expect(() => plan({ images: twice })).toThrow(/are both for esp32s3-devkit/);
    expect(() => plan({ images: [image("a.bin", "esp32h2")] })).toThrow(
      /No board of this swarm has an ESP32-H2/,
    );
  });

  it("of an image alone is for the one kind with its chip, or the one that is said", () => {
    expect(modelAlone(image("a.bin", "esp32s3"), undefined, models)).toBe("esp32s3-devkit");
    expect(modelAlone(image("a.bin", "esp32c3"), "xiao-esp32c3", models)).toBe("xiao-esp32c3");
    expect(() => modelAlone(image("a.bin", "esp32c3"), "esp32s3-devkit", models)).toThrow(
      /built for an ESP32-C3/,
    );
    expect(() => modelAlone(image("a.bin", "esp32c3"), "none", models)).toThrow(/no kind of board none/);
  });
});
