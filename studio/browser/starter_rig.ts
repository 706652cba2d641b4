import type { Locator, Page } from "@playwright/test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { FILES, runSmalt } from "./designer_rig";
import { call, expect, open, WORKSPACE } from "./rig";

const SCRIPT = `from pathlib import Path


def run(mini_batch):
    return [f"{Path(path).name} has {Path(path).read_text().strip()}" for path in mini_batch]
`;
const MAKE = `type: command
name: make
version: 1
command: for n in 1 2 3; do echo "row $n" > \${{outputs.files}}/$n.txt; done
environment: azureml:host@latest
outputs:
  files: {type: uri_folder}
`;
const SCORE = `type: command
name: score
version: 1
command: python -c "import mlflow; mlflow.log_metric('loss', \${{inputs.rate}} * len('\${{inputs.kind}}'))"
environment: azureml:sklearn-1.5@latest
inputs:
  rate: {type: number}
  kind: {type: string, default: linear}
`;

/** A new file in a folder of its own, opened in the designer. */
export async function begin(page: Page, folder: string, text = "type: pipeline\n"): Promise<() => string> {
  mkdirSync(`${FILES}/${folder}/src`, { recursive: true });
  const place = `${FILES}/${folder}`;
  for (const [name, content] of [["pipeline.yml", text], ["make.yml", MAKE], ["score.yml", SCORE], ["src/score.py", SCRIPT]]) writeFileSync(`${place}/${name}`, content);
  await open(page, `designer?file=${folder}/pipeline.yml`);
  return () => readFileSync(`${place}/pipeline.yml`, "utf8");
}

const palette = (page: Page) => page.getByRole("complementary", { name: "Components" });
export const item = (page: Page, name: string) => palette(page).getByRole("button", { name, exact: true });
const pane = (page: Page): Locator => page.locator(".react-flow__pane");
export const dragToPane = (page: Page, name: string) => item(page, name).dragTo(pane(page), { targetPosition: { x: 220, y: 90 } });

export async function save(page: Page, read: () => string): Promise<string> {
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  const before = read();
  await page.keyboard.press("Control+s");
  await expect.poll(read).not.toBe(before);
  return read();
}

/** Change one field of a form, and say which lines of the saved file differ. */
export async function changeOne(page: Page, read: () => string, make: () => Promise<void>): Promise<string[]> {
  const before = read().split("\n");
  await make();
  const after = (await save(page, read)).split("\n");
  expect(after.length).toBe(before.length);
  return after.filter((line, k) => line !== before[k]).map((line) => line.trim());
}

export async function setField(place: Locator, label: string, text: string): Promise<void> {
  const field = place.getByLabel(label, { exact: true });
  await field.fill(text);
  await field.blur();
}

/** Run a saved file by the command line; the lines that the steps logged, and the states of all steps. */
export async function run(folder: string, name: string): Promise<{ log: string; states: Record<string, string> }> {
  const log = runSmalt("job", "create", "--file", `${FILES}/${folder}/pipeline.yml`, "--name", name, "--stream");
  const { jobs } = await call("GET", `/smalt/v1${WORKSPACE}/jobs/${name}/graph`);
  return { log, states: Object.fromEntries(jobs.map(({ label, status }: { label: string; status: string }) => [label, status])) };
}
