import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { checkAccess, expect, open, test, waitForEnd } from "./rig";

const FILES = process.env.STUDIO_FILES!;
const COMPONENT = `$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
type: command
name: count
version: 1
inputs:
  rows: {type: integer, min: 1, max: 100, default: 3, description: How many rows.}
outputs:
  table: {type: uri_file}
environment: azureml:host@latest
command: seq \${{inputs.rows}} > \${{outputs.table}}
`;
const PIPELINE = `# Counts rows.
type: pipeline
display_name: counted   # the name

jobs:
  count:
    type: command
    component: ./count.yml
    inputs:
      rows: 5   # not many
  show:
    command: cat \${{inputs.table}}
    environment: azureml:host@latest
    inputs:
      table: {type: uri_file, path: '\${{parent.jobs.count.outputs.table}}'}
`;

function writeProject(folder: string, text = PIPELINE): string {
  mkdirSync(`${FILES}/${folder}`, { recursive: true });
  writeFileSync(`${FILES}/${folder}/count.yml`, COMPONENT);
  writeFileSync(`${FILES}/${folder}/pipeline.yml`, text);
  return `${folder}/pipeline.yml`;
}

test("open a file, change a parameter, save one line, submit", async ({ page }) => {
  const path = writeProject("thin");
  await open(page, "designer");
  await page.getByRole("button", { name: "thin" }).click();
  await page.getByRole("link", { name: "pipeline.yml" }).click();
  await expect(page.getByRole("group", { name: "step count, ./count.yml" })).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("group", { name: "step count, ./count.yml" }).click();
  const form = page.getByRole("region", { name: "Step count" });
  await expect(form.getByText("How many rows.")).toBeVisible();
  const value = form.getByLabel("value of rows");
  await value.fill("500");
  await value.press("Enter");
  await expect(form.getByText("the input 'rows' must be at most 100, not 500")).toBeVisible();
  await value.fill("7");
  await value.press("Enter");
  await checkAccess(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(`saved ${path}`)).toBeVisible();
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE.replace("rows: 5 ", "rows: 7 "));
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page).toHaveURL(/\/jobs\/\w+/);
  expect(await waitForEnd(page.url().split("/").at(-1)!)).toBe("Completed");
});
