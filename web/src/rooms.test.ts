import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { expect, it } from "vitest";

const BELOW = ["domain", "ui", "api", "state", "feed"];
const FEATURES = ["account", "book", "chart", "market", "order", "trades"];
const UI = ["react"];
/** Each room, what it may import besides itself, and the packages it may use. */
const ROOMS: Record<string, { rooms: string[]; packages: string[] }> = {
  domain: { rooms: [], packages: [] },
  ui: { rooms: ["domain"], packages: UI },
  api: { rooms: ["domain"], packages: ["openapi-fetch", "@tanstack/react-query"] },
  state: { rooms: ["domain"], packages: ["zustand"] },
  feed: { rooms: ["domain", "api", "state"], packages: UI },
  ...Object.fromEntries(FEATURES.map((name) => [name, { rooms: BELOW, packages: UI }])),
  chart: { rooms: BELOW, packages: [...UI, "lightweight-charts"] },
  layout: { rooms: [...BELOW, ...FEATURES], packages: UI },
  // The one place that knows them all.
  ".": {
    rooms: [...BELOW, "layout"],
    packages: [...UI, "react-dom", "socket.io-client", "@tanstack/react-query"],
  },
};
const SOURCES = import.meta.dirname;
const ENDINGS = [".ts", ".tsx", ""];

/** Every source file by its path, with what it imports: other files as paths, packages as names. */
const imports = readImports();

function readImports(): Map<string, { files: string[]; packages: string[] }> {
  const all = readdirSync(SOURCES, { recursive: true, encoding: "utf8" });
  const known = new Set(all);
  const sources = all.filter((path) => /\.tsx?$/.test(path) && !path.endsWith(".test.ts"));
  return new Map(
    sources.map((path) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(join(SOURCES, path), "utf8"));
      const names = importedFiles.map((one) => one.fileName);
      const files = names
        .filter((name) => name.startsWith("."))
        .map((name) => {
          const plain = normalize(join(dirname(path), name));
          const found = ENDINGS.map((ending) => plain + ending).find((one) => known.has(one));
          if (!found) throw new Error(`${path} imports ${name}, which is no file`);
          return found;
        });
      return [path, { files, packages: names.filter((name) => !name.startsWith(".")) }];
    }),
  );
}

const room = (path: string) => dirname(path).split("/")[0] ?? ".";

it("every folder is a room that is known", () => {
  expect([...new Set([...imports.keys()].map(room))].sort()).toEqual(Object.keys(ROOMS).sort());
});

it("a room imports itself and the rooms below it", () => {
  const wrong = [...imports].flatMap(([path, { files }]) =>
    files
      .filter((file) => room(file) !== room(path))
      .filter((file) => !ROOMS[room(path)]?.rooms.includes(room(file)))
      .map((file) => `${path} imports ${file}`),
  );
  expect(wrong).toEqual([]);
});

it("a room uses the packages that are its own", () => {
  const wrong = [...imports].flatMap(([path, { packages }]) =>
    packages
      .filter(
        (name) =>
          !ROOMS[room(path)]?.packages.some((one) => name === one || name.startsWith(`${one}/`)),
      )
      .map((name) => `${path} imports ${name}`),
  );
  expect(wrong).toEqual([]);
});

it("no file imports itself by way of others", () => {
  const ended = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, way: string[]) => {
    if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(" > "));
    if (way.includes(path) || ended.has(path)) return;
    for (const file of imports.get(path)?.files ?? []) visit(file, [...way, path]);
    ended.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  expect(circles).toEqual([]);
});
