/** Models that have a file in `boards/`, as a type, so that the editor offers them; a test holds the two equal. */
export type BoardModel = (typeof boardModels)[number];

export const boardModels = ["esp32-devkit", "esp32c3-devkit", "esp32s3-devkit"] as const;
