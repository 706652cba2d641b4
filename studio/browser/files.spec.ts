import { checkAccess, expect, open, submit, test, waitForEnd } from "./rig";

/** Writes a file of each kind, as jobs do. */
const PROGRAM = `
import json, os, sys
from pathlib import Path
import polars as pl
o = Path(sys.argv[1])
frame = pl.DataFrame({"rooms": [3, 4, None, 5], "price": [200.5, 300.25, 250.0, 410.0], "city": ["Oslo", "Oslo", "Rome", "Lima"]})
for codec in ("zstd", "snappy", "lz4", "gzip", "brotli"):
    frame.write_parquet(o / f"{codec}.parquet", compression=codec)
pl.DataFrame({"n": range(250000), "word": ["w"] * 250000}).write_parquet(o / "long.parquet")
frame.write_csv(o / "homes.csv")
(o / "lines.jsonl").write_text('{"a": 1, "b": "x"}\\n{"a": 2}\\n')
(o / "table/more").mkdir(parents=True)
(o / "table/MLTable").write_text("""paths:
  - pattern: ./more/*.csv
transformations:
  - read_delimited: {delimiter: ';', header: no_header}
  - take: 3
  - filter: "col('Column1') > 0"
""")
(o / "table/more/a.csv").write_text("1;x\\n2;y\\n")
(o / "table/more/b.csv").write_text("3;z\\n4;z\\n")
(o / "MLmodel").write_text("flavors:\\n  python_function: {}\\n")
(o / "broken.parquet").write_bytes(b"PAR1 and no more than that, really PAR1")
(o / "empty.csv").write_text("")
(o / "empty.parquet").write_bytes(b"")
(o / "odd.csv").write_bytes("a,n\\xe4me\\n1,2,3\\n".encode("latin-1"))
(o / "facts.json").write_text(json.dumps({"accuracy": 0.5}))
`;

test("files of a job as tables, with what their columns hold", async ({ page }) => {
  const write = `"${process.env.STUDIO_PYTHON}" -c "$(echo ${Buffer.from(PROGRAM).toString("base64")} | base64 -d)" \${{outputs.o}}`;
  await submit("writes", write, { experimentName: "files", outputs: { o: { jobOutputType: "uri_folder" } } });
  expect(await waitForEnd("writes")).toBe("Completed");
  await open(page, "jobs/writes?tab=data");
  await page.getByRole("button", { name: /^o / }).click();
  const files = page.locator(".file-list li");
  const preview = page.locator(".preview");
  for (const name of ["zstd", "snappy", "lz4", "gzip", "brotli"]) {
    await files.getByRole("button", { name: `${name}.parquet` }).click();
    await expect(preview.getByRole("cell", { name: "300.25" })).toBeVisible();
    await expect(preview.getByText("4 rows, 3 columns")).toBeVisible();
  }
  await preview.getByRole("button", { name: "Columns" }).click();
  const rooms = preview.getByRole("row", { name: /^rooms/ });
  await expect(rooms).toContainText("integer int64");
  await expect(rooms.getByRole("cell")).toContainText(["", "1 (25 %)", "3", "", "3", "4", "5"]);
  await expect(preview.getByRole("row", { name: /^city/ })).toContainText("Oslo × 2");
  await checkAccess(page);
  await files.getByRole("button", { name: "homes.csv" }).click();
  await expect(preview.getByText("4 rows, 3 columns")).toBeVisible();
  await preview.getByRole("button", { name: "Rows" }).click();
  await expect(preview.getByRole("img", { name: /^city: Oslo: 2/ })).toBeVisible();
  await checkAccess(page);
  await files.getByRole("button", { name: "long.parquet" }).click();
  await expect(preview.getByText("250,000 rows, 2 columns; the first 100,000 rows are counted, 200 shown")).toBeVisible();
  await files.getByRole("button", { name: "lines.jsonl" }).click();
  await expect(preview.getByText("2 rows, 2 columns")).toBeVisible();
  await files.getByRole("button", { name: "broken.parquet" }).click();
  await expect(preview.getByRole("alert")).toBeVisible();
  await files.getByRole("button", { name: "empty.csv" }).click();
  await expect(preview.getByText("The file is empty.")).toBeVisible();
  await files.getByRole("button", { name: "odd.csv" }).click();
  await expect(preview.getByText("1 row has more values than there are columns")).toBeVisible();
  await expect(preview.getByText("Some bytes are not text in the file's encoding")).toBeVisible();
  await files.getByRole("button", { name: "empty.parquet" }).click();
  await expect(preview.getByText("The file is empty.")).toBeVisible();
  await files.getByRole("button", { name: "facts.json" }).click();
  await expect(preview.getByText('"accuracy": 0.5')).toBeVisible();
  await files.getByRole("button", { name: "MLmodel" }).click();
  await expect(preview.getByText("python_function")).toBeVisible();
  await files.getByRole("button", { name: "table", exact: true }).click();
  await files.getByRole("button", { name: "MLTable" }).click();
  await expect(preview.getByText("3 rows, 2 columns")).toBeVisible();
  await expect(preview.getByText("filter is applied in a job, not here.")).toBeVisible();
  await expect(preview.getByRole("cell", { name: "z" })).toHaveCount(1);
});
