import { expect, test } from "bun:test";
import { join } from "node:path";
import ts from "typescript";

/**
 * What the phones of 2020 have (iOS 14, Chrome 80): the in-app browsers of old ones are theirs, too, and a script that
 * stops at an unknown function reports no cookies and never goes on by itself.
 */
const LIBRARIES = ["lib.es2020.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"];

test("the bridge page's script asks nothing of a browser that old phones do not have", () => {
  const program = ts.createProgram([join(import.meta.dir, "../../views/assets/bridge.ts")], {
    lib: LIBRARIES,
    types: [],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    noEmit: true,
  });
  const faults = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  expect(faults).toEqual([]);
});
