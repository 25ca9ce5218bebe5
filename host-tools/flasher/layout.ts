/** Where a layout is at home: `host-tools/images/layout.ts`. */
export * from "../images/layout.ts";
