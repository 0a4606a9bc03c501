// What the journal says beside each deed, in English: written down once, so that the coordinator, which says it, and a page in another language, which
// says the same in its own words, mean the same sentences. What is in braces is filled in. Pure.
import type { Deed } from "./deeds.ts";

/** The sentences of each deed, the more particular ones first. A deed that is not here has a name, an address or nothing beside it. */
export const DETAILS = {
  "signed-in": ["from {address}, by the passkey {passkey}", "from {address}, by {provider}", "from {address}"],
  "sign-in-failed": ["no such name", "{why}, from {address}"],
  "user-invited": ["{role}"],
  "user-added": ["{role}, by {provider}", "{role}"],
  "user-changed": ["{role}, as {provider} says", "{role}"],
  "sso-connected": ["{role}, by {provider}"],
  "password-changed": ["{role}"],
  "passkey-added": ["{passkey}, for {site}"],
  "api-token-created": ["{token}, {role}"],
  "job-submitted": ["{job}, {parts} parts"],
  "job-retried": ["1 part", "{parts} parts"],
  "job-cancelled": ["{processes} processes"],
  "job-ended": ["{state} exit status {status}", "{state} {code}", "{state}"],
  "process-migrated": ["queue to {to}", "{from} to {to}"],
  "host-joined": ["{slots} slots"],
  // Any of these, one after the other.
  "host-changed": [
    "{before} is now {after}",
    "tags {tags}",
    "no tags",
    "kept clear",
    "takes work again",
    "its processes stay",
    "its processes are balanced again",
    "takes nothing new",
    "takes new processes again",
  ],
  "link-created": ["{scope}, {uses} uses, with approval", "{scope}, {uses} uses"],
  "link-removed": ["{scope}"],
  "policy-changed": [
    "version {version}: as version {before}",
    "version {version}: as before the first version",
    "version {version}: says nothing",
    "version {version}: {settings}",
  ],
  "experiment-started": ["{first} and {second}, {runs} runs of fib({n})"],
  "experiment-ended": ["{state}: {why}", "{state}"],
  "measurement-sent": ["1 program on {machine}", "{programs} programs on {machine}"],
  "release-published": ["to all hosts, in place of {versions}", "to all hosts", "to {ring}, in place of {versions}", "to {ring}"],
  "release-halted": ["by hand", "{failed} of {tried} hosts that took it failed or did not come back"],
  "host-updated": ["to {version}"],
  "host-update-failed": ["{version}: {why}"],
} as const satisfies Partial<Record<Deed, readonly string[]>>;

export type Detail = (typeof DETAILS)[keyof typeof DETAILS][number];
/** What {why} may be, beside what an error or a host says. */
export const REASONS = [
  "this passkey is not known here",
  "what the passkey answered does not hold",
  "it did not come back",
  "no reason given",
] as const;
export type Reason = (typeof REASONS)[number];
type NamesIn<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}` ? Name | NamesIn<Rest> : never;

const NAME = /\{(\w+)\}/g;
/** Between what one deed did, where it did several things. */
const BETWEEN = "; ";

/** @param sentence one of DETAILS */
export const fill = <Text extends Detail>(sentence: Text, values: Readonly<Record<NamesIn<Text>, string | number>>): string =>
  sentence.replaceAll(NAME, (_, name: NamesIn<Text>) => `${values[name]}`);

export const several = (sentences: readonly string[]): string => sentences.join(BETWEEN);

/**
 * The same backwards.
 * @param say the sentence in other words; values as they were filled in, by name
 * @returns undefined when it is none of the deed's sentences
 */
export function retell(
  deed: Deed,
  text: string,
  say: (sentence: Detail, values: Readonly<Record<string, string>>) => string,
): string | undefined {
  if (!(deed in DETAILS)) return undefined;
  const sentences: readonly Detail[] = DETAILS[deed as keyof typeof DETAILS];
  const told = (deed === "host-changed" ? text.split(BETWEEN) : [text]).map((one) => {
    for (const sentence of sentences) {
      const values = new RegExp(`^${patternOf(sentence)}$`, "su").exec(one);
      if (values) return say(sentence, values.groups ?? {});
    }
    return undefined;
  });
  return told.includes(undefined) ? undefined : told.join(BETWEEN);
}

/** Literal text as it is, what is in braces as anything, by its name. */
const patternOf = (sentence: string): string =>
  sentence
    .split(NAME)
    .map((piece, at) => (at % 2 === 1 ? `(?<${piece}>.+?)` : piece.replaceAll(/[.*+?^$()[\]{}|\\/]/g, "\\$&")))
    .join("");
