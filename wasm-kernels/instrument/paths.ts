// What every path through a function has passed: a forward must-analysis over its constructs.
import { type Body, branchLabels } from "./body.ts";
import { Op } from "./opcodes.ts";

/**
 * For every instruction, has every path to it passed one of some instructions since the beginning of the construct at `from` (of the turn, when
 * that is a loop; of the function for 0)? What has been passed once stays so, so one walk is enough, inner loops included.
 * @param visit told that for the instruction, says it for what follows
 * @param onBack told of branches back to the loop at `from` that some path reaches without having passed any
 */
export function everyPath(
  body: Body,
  from: number,
  visit: (instruction: number, passed: boolean) => boolean,
  onBack: (branch: number) => void = () => {},
): void {
  const inLoop = body.op[from] === Op.loop;
  /** For each open construct: has every path to its end passed, as far as seen; and had the path to its beginning? */
  const open: { ends: boolean; begin: boolean; loop: boolean; hasElse: boolean }[] = [
    { ends: true, begin: false, loop: inLoop, hasElse: true },
  ];
  let passed = false;
  const end = inLoop ? body.match[from] : body.count;
  for (let i = inLoop ? from + 1 : 0; i < end; i++) {
    const op = body.op[i];
    passed = visit(i, passed);
    const top = open[open.length - 1];
    switch (op) {
      case Op.block:
      case Op.loop:
      case Op.if:
      case Op.try:
        open.push({ ends: true, begin: passed, loop: op === Op.loop, hasElse: op !== Op.if });
        break;
      case Op.else:
      case Op.catch: // what was passed before the exception came is not known
        top.ends &&= passed;
        top.hasElse = true;
        passed = top.begin;
        break;
      case Op.end:
      case Op.delegate:
        passed = passed && top.ends && (top.hasElse || top.begin);
        open.pop();
        break;
      case Op.br:
      case Op.brIf:
      case Op.brTable:
        if (body.wayIn?.has(i)) break; // such a path begins with a stop
        for (const depth of branchLabels(body, i)) {
          const target = open[open.length - 1 - depth];
          if (!target) continue; // out of what is walked
          if (!target.loop) target.ends &&= passed;
          else if (target === open[0] && !passed) onBack(i);
        }
        if (op !== Op.brIf) passed = true; // nothing comes this way any more
        break;
      case Op.return:
      case Op.unreachable:
      case Op.throw:
      case Op.returnCall:
      case Op.returnCallIndirect:
        passed = true;
        break;
      default:
    }
  }
}
