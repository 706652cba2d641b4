import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Locator, Page } from "@playwright/test";
import { call, WORKSPACE } from "./rig";

export const FILES = process.env.STUDIO_FILES!;
export const COMPONENT = `$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
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
export const PIPELINE = `# Counts rows.
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

export function writeProject(folder: string, text = PIPELINE): string {
  mkdirSync(`${FILES}/${folder}`, { recursive: true });
  writeFileSync(`${FILES}/${folder}/count.yml`, COMPONENT);
  writeFileSync(`${FILES}/${folder}/pipeline.yml`, text);
  return `${folder}/pipeline.yml`;
}

export const form = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
export const node = (page: Page, name: string) => page.locator(`[data-step="${name}"]`);
export async function fill(page: Page, region: string, label: string, text: string): Promise<void> {
  const field = form(page, region).getByLabel(label, { exact: true });
  await field.fill(text);
  await field.blur();
}
/** Wait until something has not moved for ten frames: a view moves to its place, on a busy machine with few of them. */
export const waitUntilStill = (place: Locator) =>
  place.evaluate(
    (element) =>
      new Promise<void>((resolve) => {
        let [before, still] = ["", 0];
        const look = () => {
          const now = JSON.stringify(element.getBoundingClientRect());
          still = now === before ? still + 1 : 0;
          before = now;
          if (still >= 10) resolve();
          else requestAnimationFrame(look);
        };
        look();
      }),
  );
export async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  await waitUntilStill(from);
  const [a, b] = [(await from.boundingBox())!, (await to.boundingBox())!];
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2 - 4, { steps: 6 });
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 3 });
}
export const readText = (page: Page) => page.locator(".cm-content").innerText();
export async function register(name: string, spec: object): Promise<void> {
  const componentSpec = { type: "command", name, version: "1", environment: "azureml:host@latest", ...spec };
  await call("PUT", `${WORKSPACE}/components/${name}/versions/1`, { properties: { componentSpec } });
}
export async function registerThree(): Promise<void> {
  await register("make_rows", { display_name: "Make rows", command: "seq ${{inputs.rows}} > ${{outputs.table}}/t.txt", inputs: { rows: { type: "integer", min: 1, max: 50, default: 4 } }, outputs: { table: { type: "uri_folder" } } });
  await register("sum_rows", { display_name: "Sum rows", command: "awk '{s+=$1*${{inputs.factor}}} END {print s}' ${{inputs.table}}/t.txt > ${{outputs.sum}}/s.txt", inputs: { table: { type: "uri_folder" }, factor: { type: "number" } }, outputs: { sum: { type: "uri_folder" } } });
  await register("show_sum", { display_name: "Show sum", command: "echo the sum is $(cat ${{inputs.sum}}/s.txt)", inputs: { sum: { type: "uri_folder" }, style: { type: "string", enum: ["plain", "bold"], default: "plain" } } });
}

/** Run a command line of smalt in the test's workspace, and return what it printed. */
export function runSmalt(...words: string[]): string {
  const [, subscription, , group] = WORKSPACE.split("/").slice(1);
  const place = ["--workspace-name", WORKSPACE.split("/").at(-1)!, "--resource-group", group, "--subscription", subscription];
  return execFileSync(process.env.STUDIO_PYTHON!, ["-m", "smalt", ...words, ...place], { env: { ...process.env, SMALT_HOME: process.env.STUDIO_HOME! }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}
