// The templates of group policy: every setting is in them, they hold together as Windows' schema of such files asks, and what an
// administrator can choose in them is what the agents' check takes.
import { readFileSync } from "node:fs";
import { MAX_WORDS, parseAdminPolicy, SETTING_NAMES, SETTINGS } from "@nightshift/agent-app/policy";
import { TAG } from "@nightshift/coordinator/protocol";
import { policyTemplates } from "@nightshift/installer/testing";
import { DOMParser } from "@xmldom/xmldom";
import { describe, expect, test } from "vitest";

const KEY = "Software\\Policies\\Nightshift";
const templates = policyTemplates();
const LANGUAGES = ["en-US", "zh-CN"];

/** @throws when it is not well-formed */
const parse = (text: string): Element => {
  const onError = (level: string, message: string): void => {
    throw new Error(`${level}: ${message}`);
  };
  return new DOMParser({ errorHandler: onError }).parseFromString(text, "text/xml").documentElement;
};
const all = (from: Element, tag: string): Element[] => Array.from(from.getElementsByTagName(tag));
const children = (from: Element): Element[] =>
  (Array.from(from.childNodes) as Element[]).filter(({ nodeType }) => nodeType === 1);
const attribute = (from: Element | undefined, name: string): string => from?.getAttribute(name) ?? "";

const admx = parse(templates["Nightshift.admx"] ?? "");
const policies = new Map(all(admx, "policy").map((policy) => [attribute(policy, "name"), policy]));

test("the templates in the repository are made of the settings as they are", () => {
  for (const [path, text] of Object.entries(templates)) {
    const there = readFileSync(new URL(`../../installer/windows/policy/${path}`, import.meta.url), "utf8");
    expect(there === text, `installer/windows/policy/${path} is old: node installer/policy-templates.ts`).toBe(true);
  }
  expect(Object.keys(templates)).toEqual(["Nightshift.admx", ...LANGUAGES.map((name) => `${name}/Nightshift.adml`)]);
});

describe.each([
  ["", ""],
  ["Default_", "\\Defaults"],
])("with %s before its name", (prefix, below) => {
  test.each(SETTING_NAMES)("%s is in the template, with its kind and range", (name) => {
    const policy = policies.get(prefix + name);
    const {
      default: fallback,
      range,
      values,
      check,
    } = SETTINGS[name] as (typeof SETTINGS)[typeof name] & {
      check(value: unknown): boolean;
    };
    expect([attribute(policy, "key"), attribute(policy, "class")]).toEqual([KEY + below, "Both"]);
    const elements = policy ? all(policy, "elements").flatMap(children) : [];
    if (typeof fallback === "boolean") {
      const numbers = policy ? all(policy, "decimal").map((one) => attribute(one, "value")) : [];
      expect([attribute(policy, "valueName"), elements, numbers]).toEqual([name, [], ["1", "0"]]);
      return;
    }
    expect(elements).toHaveLength(1);
    const [element] = elements as [Element];
    if (Array.isArray(fallback)) {
      expect([element.tagName, attribute(element, "key")]).toEqual(["list", `${KEY}${below}\\${name}`]);
      return;
    }
    expect(attribute(element, "valueName")).toBe(name);
    if (values) {
      const offered = all(element, "string").map(({ textContent }) => textContent);
      expect([element.tagName, offered]).toEqual(["enum", values]);
      expect(offered.every(check)).toBe(true);
    } else {
      const [lowest, highest] = [attribute(element, "minValue"), attribute(element, "maxValue")].map(Number);
      expect([element.tagName, lowest, highest]).toEqual(["decimal", ...(range ?? [])]);
      expect([lowest, highest, Number(lowest) - 1, Number(highest) + 1].map(check)).toEqual([true, true, false, false]);
    }
  });
});

test("no text can be longer than what its reader takes", () => {
  const most = [...policies].flatMap(([name, policy]) =>
    all(policy, "text").map((text) => [name, Number(attribute(text, "maxLength"))]),
  );
  expect(most).toEqual([
    ["By", MAX_WORDS],
    ["Join", 1000],
    ["Pool", 32],
  ]);
  const by = (length: number) => () => parseAdminPolicy(JSON.stringify({ version: 1, by: "x".repeat(length) }), "HKLM");
  expect(by(MAX_WORDS)).not.toThrow();
  expect(by(MAX_WORDS + 1)).toThrow();
  expect([TAG.test("二".repeat(32)), TAG.test("x".repeat(33))]).toEqual([true, false]);
});

test("so are what an installer is told and who sets it", () => {
  const others = [...policies.keys()].filter(
    (name) => !SETTING_NAMES.some((one) => [one, `Default_${one}`].includes(name as never)),
  );
  expect(others).toEqual(["By", "Join", "Pool", "Tray"]);
  expect(others.map((name) => attribute(policies.get(name), "key"))).toEqual(others.map(() => KEY));
});

test("parts stand in the order that the schema asks for, and refer to what there is", () => {
  const order = ["parentCategory", "supportedOn", "enabledValue", "disabledValue", "elements"];
  const names = (tag: string): string[] => all(admx, tag).map((one) => attribute(one, "name"));
  for (const [name, policy] of policies) {
    const tags = children(policy).map(({ tagName }) => tagName);
    expect(tags, name).toEqual(order.filter((tag) => tags.includes(tag)));
    expect(names("category")).toContain(attribute(all(policy, "parentCategory")[0], "ref"));
    expect(names("definition")).toContain(attribute(all(policy, "supportedOn")[0], "ref"));
  }
  expect(children(admx).map(({ tagName }) => tagName)).toEqual([
    "policyNamespaces",
    "resources",
    "supportedOn",
    "categories",
    "policies",
  ]);
  expect(names("policy")).toHaveLength(policies.size);
});

describe.each(LANGUAGES)("in %s", (language) => {
  const adml = parse(templates[`${language}/Nightshift.adml`] ?? "");
  const text = templates["Nightshift.admx"] ?? "";
  const referred = (kind: string): string[] =>
    [...text.matchAll(new RegExp(`\\$\\(${kind}\\.(\\w+)\\)`, "g"))].map(([, id = ""]) => id);

  test("every text that the template names is there once, and has words", () => {
    const strings = all(adml, "string");
    const ids = strings.map((one) => attribute(one, "id"));
    expect(ids.toSorted()).toEqual([...new Set(referred("string"))].toSorted());
    for (const one of strings) expect((one.textContent ?? "").trim(), attribute(one, "id")).not.toBe("");
  });

  test("every input belongs to a value of its kind", () => {
    const inputs: Record<string, string> = { decimal: "decimalTextBox", enum: "dropdownList", list: "listBox", text: "textBox" };
    const shown = new Map(all(adml, "presentation").map((one) => [attribute(one, "id"), children(one)]));
    expect([...shown.keys()].toSorted()).toEqual(referred("presentation").toSorted());
    for (const id of shown.keys()) {
      const values = all(policies.get(id) as Element, "elements").flatMap(children);
      const wanted = values.map((one) => [inputs[one.tagName], attribute(one, "id")]);
      expect((shown.get(id) ?? []).map((one) => [one.tagName, attribute(one, "refId")])).toEqual(wanted);
    }
  });
});

test("the Chinese words are Chinese", () => {
  const strings = all(parse(templates["zh-CN/Nightshift.adml"] ?? ""), "string");
  const foreign = strings.filter(({ textContent }) => !/\p{Script=Han}/u.test(textContent ?? ""));
  expect(foreign.map((one) => attribute(one, "id"))).toEqual(["Nightshift"]);
});
