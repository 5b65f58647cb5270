import { expect, it } from "vitest";
import { csv } from "./csv";

it("quotes what needs quotes and keeps long ids as they are", () => {
  expect(csv([{ id: "233811181600768001", note: 'a "b", c', gone: null }])).toBe(
    'id,note,gone\r\n233811181600768001,"a ""b"", c",\r\n',
  );
});
it("does not let a spreadsheet run a text", () => {
  expect(csv([{ id: "=1+1" }])).toContain("'=1+1");
});
