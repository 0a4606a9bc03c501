#!/usr/bin/env node
// `nightshift c++` in one word, for builds whose compiler can be no two.
process.argv.splice(2, 0, "c++");
await import("./nightshift.mjs");
