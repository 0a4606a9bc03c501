// A start function runs while the instance is made, where nothing could stop it. So it becomes the first thing the program's _start does:
// nothing of the program runs in between.
import { Writer } from "./binary.ts";
import { EXTERNAL, extended, parseModule, SECTION, type WasmModule, withSections } from "./module.ts";
import { Op } from "./opcodes.ts";

/** The module itself if it has no start function, or no function "_start". */
export function startInside(module: WasmModule): WasmModule {
  const entry = module.exports.find(({ name, kind }) => name === "_start" && kind === EXTERNAL.function);
  if (module.start === undefined || !entry) return module;
  const func = module.functionTypes.length;
  const body = new Writer().u32(0).byte(Op.call).u32(module.start).byte(Op.call).u32(entry.index).byte(Op.end);
  const exports = new Writer().u32(module.exports.length);
  for (const item of module.exports)
    exports
      .name(item.name)
      .byte(item.kind)
      .u32(item === entry ? func : item.index);
  const replaced = new Map<number, Writer | undefined>([
    [SECTION.function, extended(module, SECTION.function, [new Writer().u32(module.functionTypes[module.start]).finish()])],
    [SECTION.export, exports],
    [SECTION.start, undefined],
    [SECTION.code, extended(module, SECTION.code, [new Writer().sized(body).finish()])],
  ]);
  return parseModule(withSections(module, replaced, ["name"]).finish());
}
