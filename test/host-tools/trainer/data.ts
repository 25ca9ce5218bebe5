import { join } from "node:path";
import { type Dataset, readDataset } from "../../../host-tools/trainer/dataset.ts";

export const dataNames = ["iris", "wine", "breast-cancer", "digits"] as const;

export function dataFile(name: (typeof dataNames)[number]): string {
  return join(import.meta.dirname, "../../../bench/models/data", `${name}.csv`);
}

export function dataset(name: (typeof dataNames)[number]): Dataset {
  return readDataset(dataFile(name), { target: "class", features: undefined });
}
