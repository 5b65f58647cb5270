import { csv } from "../domain/csv";

/** Hand rows to the trader as a file. */
export function download(name: string, rows: readonly object[]): void {
  const url = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
