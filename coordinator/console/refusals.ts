// What was refused, in the reader's language: by its stable code, and of a wrong sweep each problem by its own. The coordinator says it in English;
// in another language its sentence stands behind as the detail, as it names what it speaks of.
import { saidInChinese } from "@nightshift/wasm-kernels/errors-zh";
import type { SweepProblem, SweepProblemCode } from "../protocol/sweep.ts";
import { OwnRefusal } from "./client.ts";
import type { Key } from "./texts.ts";
import { languageNow, t } from "./words.tsx";

/** A Refusal, or an error of what the console shares with the coordinator. */
export interface Refused {
  code: string;
  message: string;
  remedy: string;
  problems?: readonly SweepProblem[];
  details?: Readonly<Record<string, unknown>>;
}

export interface Said {
  title: string;
  /** What to do. */
  remedy: string;
  /** Each thing that is wrong. */
  problems: string[];
  /** In English, where the title is not. */
  detail: string;
}

export function said(refused: Refused): Said {
  const { code, message, remedy, details } = refused;
  const known = refused.problems ?? (details?.problems as readonly SweepProblem[] | undefined) ?? [];
  const problems = known.flatMap((one) => (Object.hasOwn(SWEEP, one.code ?? "") ? [sweepProblemText(one)] : []));
  const told = { problems: [], detail: "" };
  if (code === "NS_UNREACHABLE") return { ...told, title: t("unreachable"), remedy: t("unreachableMore") };
  if (languageNow() === "en" || refused instanceof OwnRefusal) return { ...told, title: message, remedy };
  const title = saidInChinese(code) ?? t("refused");
  // Problems that are said one by one need no other words.
  return { title, remedy: "", problems, detail: problems.length === 0 || problems.length < known.length ? message : "" };
}

/** In one line. */
export function saidShortly(refused: Refused): string {
  const { title, remedy, problems, detail } = said(refused);
  if (remedy !== "") return `${title}. ${remedy}`;
  return [title, ...problems, detail].filter(Boolean).join(" ");
}

const SWEEP: Record<SweepProblemCode, Key> = {
  "no-parameter": "sweepNoParameter",
  "too-many-parameters": "sweepTooManyParameters",
  "name-taken": "sweepNameTaken",
  "empty-range": "sweepEmptyRange",
  "uneven-set": "sweepUnevenSet",
  twice: "sweepTwice",
  "too-many-parts": "sweepTooManyParts",
  brace: "sweepBrace",
  "unknown-parameter": "sweepUnknownParameter",
  unused: "sweepUnused",
  "too-long": "sweepTooLong",
  "bad-file-name": "sweepBadFileName",
  "same-file-name": "sweepSameFileName",
  "no-file": "sweepNoFile",
  "too-many-files": "sweepTooManyFiles",
};

/** With where it is. */
export function sweepProblemText({ path, code, values }: SweepProblem): string {
  const [, root = "", rest = ""] = /^(args|env|parameters|files|sets)(.*)$/.exec(path) ?? [];
  const place = rest.replace(/^\./, "").replace(/^\[(\d+)\]/, (_, at: string) => String(Number(at) + 1));
  const name = { args: t("arguments"), env: t("environment"), parameters: t("parameter"), files: t("ownFiles"), sets: t("sets") }[
    root
  ];
  return `${[name ?? path, place].filter(Boolean).join(" ")}: ${t(SWEEP[code], values)}`;
}
