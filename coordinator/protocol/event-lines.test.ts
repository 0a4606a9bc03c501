import { expect, test } from "vitest";
import { type EventLine, eventLine, eventsHead } from "./event-lines.ts";

const event = (more: Partial<EventLine> = {}): EventLine => ({
  ...{ id: 7, at: Date.UTC(2026, 0, 2, 3, 4, 5, 6), who: "ada", what: "host-changed", target: "amun", details: "" },
  ...more,
});

test("an event is a line of CSV under the names of its fields, or a JSON object", () => {
  expect(eventsHead("csv") + eventLine(event(), "csv")).toBe(
    "\uFEFFid,time,who,what,target,details\r\n7,2026-01-02T03:04:05.006Z,ada,host-changed,amun,\r\n",
  );
  expect(eventsHead("jsonl") + eventLine(event(), "jsonl")).toBe(
    '{"id":7,"time":"2026-01-02T03:04:05.006Z","who":"ada","what":"host-changed","target":"amun","details":""}\n',
  );
});

test("quotes, commas and line ends stay within their cell", () => {
  const line = eventLine(event({ target: 'a "b", c', details: "one\r\ntwo" }), "csv");
  expect(line).toBe('7,2026-01-02T03:04:05.006Z,ada,host-changed,"a ""b"", c","one\r\ntwo"\r\n');
  expect(eventLine(event({ details: "one\ntwo" }), "jsonl").trimEnd()).not.toContain("\n");
});

test.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uFF1D1"])(
  "a spreadsheet does not take %j for a formula",
  (name) => {
    expect(eventLine(event({ details: name }), "csv")).toBe(`7,2026-01-02T03:04:05.006Z,ada,host-changed,amun,"'${name}"\r\n`);
    // Other programs get it as it is.
    expect(JSON.parse(eventLine(event({ details: name }), "jsonl")).details).toBe(name);
  },
);
