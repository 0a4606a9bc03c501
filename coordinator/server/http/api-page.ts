// docs/API.md, written from the schemas: every request with who may ask, what it takes and what it answers.
import { z } from "zod";
import { type Access, api, MAX_UPLOAD_BYTES, type Name, REQUESTS_PER_MINUTE } from "./api.ts";

const WHO: Record<Access, string> = {
  anybody: "anybody",
  viewer: "viewers",
  submitter: "submitters",
  administrator: "administrators",
};

interface Shape {
  type?: string | string[];
  enum?: readonly string[];
  anyOf?: readonly Shape[];
  oneOf?: readonly Shape[];
  const?: unknown;
  properties?: Record<string, Shape>;
  required?: readonly string[];
  items?: Shape;
  prefixItems?: readonly Shape[];
  additionalProperties?: Shape | boolean;
  default?: unknown;
}

/** A JSON schema in one line, in the manner of TypeScript. */
function short(shape: Shape): string {
  const { properties, required = [], items, prefixItems, additionalProperties: more, type, default: usual } = shape;
  const text = shape.enum
    ? shape.enum.map((value) => JSON.stringify(value)).join(" | ")
    : shape.const !== undefined
      ? JSON.stringify(shape.const)
      : (shape.anyOf ?? shape.oneOf)
        ? (shape.anyOf ?? shape.oneOf ?? []).map(short).join(" | ")
        : properties
          ? `{ ${Object.entries(properties)
              .map(([key, value]) => `${key}${required.includes(key) ? "" : "?"}: ${short(value)}`)
              .join(", ")} }`
          : type === "object" && typeof more === "object"
            ? `{ [name]: ${short(more)} }`
            : prefixItems
              ? `[${prefixItems.map(short).join(", ")}]`
              : items
                ? `${items.enum || items.anyOf ? `(${short(items)})` : short(items)}[]`
                : [type ?? "anything"].flat().join(" | ");
  return usual === undefined ? text : `${text} = ${JSON.stringify(usual)}`;
}

const describe = (schema: z.ZodType, io: "input" | "output"): string =>
  short(z.toJSONSchema(schema, { io, unrepresentable: "any" }) as Shape);

function section(name: Name): string {
  const { method, path, access, about, ...route }: (typeof api)[Name] = api[name];
  const lines = [`### \`${method} ${path}\``, "", `For ${WHO[access]}: ${about}.`];
  const facts = [
    ...("query" in route ? [`- query: ${describe(route.query, "input")}`] : []),
    ...("body" in route ? [`- body: ${describe(route.body, "input")}`] : []),
    ...("answer" in route ? [`- answer: ${describe(route.answer, "output")}`] : []),
    ...("perMinute" in route ? [`- at most ${route.perMinute} a minute from one address`] : []),
  ];
  return [...lines, "", ...facts, ""].join("\n");
}

export const apiPage = (): string => `# The HTTP API

Written from the schemas in coordinator/server/http/api.ts by \`npx vitest run coordinator/server/http/api-page.test.ts --update\`.

It is on the coordinator's port. Over plain http it answers this computer only, unless the coordinator was started with \`--plain-http\`; with
\`--tls-cert\`, \`--tls-local-ca\` or \`--behind-proxy\` it is there for all over https.
Programs send an API token as \`Authorization: Bearer TOKEN\`; people make one in the console. Browsers have a session cookie, and every
change needs the session's csrf value in the header \`x-csrf-token\`. Each role may do what the ones before it may: viewer, submitter,
administrator. Bodies and answers are JSON, at most 1 MiB; uploads ${MAX_UPLOAD_BYTES >> 20} MiB. An address may ask ${REQUESTS_PER_MINUTE} times a minute. What is refused is answered
with a status of 4xx and \`{ code, message, remedy }\`; the code is stable. An answer to a change says that it is on the disk.

${(Object.keys(api) as Name[]).map(section).join("\n")}
## The change stream

\`GET /api/changes\` answers with server-sent events of type \`change\`. The data is an object with any of
- \`reset: true\`: forget what you know; what follows is all there is
- \`hosts\`: hosts as above, those that came or changed; \`gone\`: ids of removed ones
- \`jobs\`: jobs as above
- \`processes\`: [pid, parent, job, state, number of its host or 0, migrations]; one that has ended is in state exited, failed or cancelled
- \`sample\`, \`totals\`: as of \`/api/cluster\`, every 5 s
- \`lists\`: another number when what is answered about events, people, policies, links, releases or hosts that wait may be new
- \`more: true\`: the next event follows at once

An event of type \`beat\` comes every 10 s, so that a silent connection can be told from a quiet cluster.

The first events tell of every host and of the jobs and processes that have not ended. Changes are gathered for 100 ms; a thing that changed
several times is told once. Send the last \`id\` as \`Last-Event-ID\`, as browsers do, to go on where a connection broke.
`;
