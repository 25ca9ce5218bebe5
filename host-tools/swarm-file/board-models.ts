/**
 * Models that swarm.ts may name. The names here are what an editor offers; any other file in `boards/` is a model just the
 * same, and a name without a file is a mistake that the swarm file's check tells.
 */
export type BoardModel = (typeof boardModels)[number] | (string & {});

export const boardModels = [
  "esp32-devkit",
  "esp32c3-devkit",
  "esp32c6-devkit",
  "esp32s3-devkit",
  "m5stack-core2",
  "xiao-esp32c3",
] as const;
