import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { apiPage } from "./api-page.ts";

test("docs/API.md is what the schemas say (vitest -u writes it)", async () => {
  await expect(apiPage()).toMatchFileSnapshot(fileURLToPath(new URL("../../../docs/API.md", import.meta.url)));
});
