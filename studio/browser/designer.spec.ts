import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import type { Locator, Page } from "@playwright/test";
import { call, checkAccess, expect, open, test, waitForEnd, WORKSPACE } from "./rig";

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

/** Press a palette item, or type into a form, as a person does. */
const form = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const node = (page: Page, name: string) => page.locator(`[data-step="${name}"]`);
async function fill(page: Page, region: string, label: string, text: string): Promise<void> {
  const field = form(page, region).getByLabel(label, { exact: true });
  await field.fill(text);
  await field.blur();
}
async function drag(page: Page, from: Locator, to: Locator): Promise<void> {
  const [a, b] = [(await from.boundingBox())!, (await to.boundingBox())!];
  await page.mouse.move(a.x + a.width / 2, a.y + a.height / 2);
  await page.mouse.down();
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2 - 4, { steps: 6 });
  await page.mouse.move(b.x + b.width / 2, b.y + b.height / 2, { steps: 3 });
}
const readText = (page: Page) => page.locator(".cm-content").innerText();
async function register(name: string, spec: object): Promise<void> {
  const componentSpec = { type: "command", name, version: "1", environment: "azureml:host@latest", ...spec };
  await call("PUT", `${WORKSPACE}/components/${name}/versions/1`, { properties: { componentSpec } });
}
async function registerThree(): Promise<void> {
  await register("make_rows", { display_name: "Make rows", command: "seq ${{inputs.rows}} > ${{outputs.table}}/t.txt", inputs: { rows: { type: "integer", min: 1, max: 50, default: 4 } }, outputs: { table: { type: "uri_folder" } } });
  await register("sum_rows", { display_name: "Sum rows", command: "awk '{s+=$1*${{inputs.factor}}} END {print s}' ${{inputs.table}}/t.txt > ${{outputs.sum}}/s.txt", inputs: { table: { type: "uri_folder" }, factor: { type: "number" } }, outputs: { sum: { type: "uri_folder" } } });
  await register("show_sum", { display_name: "Show sum", command: "echo the sum is $(cat ${{inputs.sum}}/s.txt)", inputs: { sum: { type: "uri_folder" }, style: { type: "string", enum: ["plain", "bold"], default: "plain" } } });
}

test("draw a three-step pipeline from nothing, run it, and run its YAML by the command line", async ({ page }, info) => {
  await registerThree();
  await open(page, "designer");
  await page.getByRole("link", { name: "New pipeline" }).click();
  const palette = page.getByRole("complementary", { name: "Components" });
  for (const [name, step] of [["Make rows", "make_rows"], ["Sum rows", "sum_rows"], ["Show sum", "show_sum"]]) {
    await palette.getByLabel("Find a component").fill(name);
    await palette.getByRole("button", { name }).click();
    await expect(node(page, step)).toBeVisible();
  }
  await palette.getByLabel("Find a component").fill("");
  await page.getByRole("button", { name: "Fit View" }).click();
  await page.waitForTimeout(300); // the view moves there
  await drag(page, node(page, "make_rows").locator("[data-port=table]"), node(page, "sum_rows").locator("[data-port=table]"));
  await page.mouse.up();
  await expect(page.locator(".react-flow__edge")).toHaveCount(1);
  await page.getByRole("button", { name: "Arrange", exact: true }).click();
  await node(page, "show_sum").click();
  await form(page, "Step show_sum").getByLabel("sum", { exact: true }).selectOption({ label: "sum_rows → sum" });
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  await node(page, "sum_rows").click();
  await fill(page, "Step sum_rows", "value of factor", "2");
  await form(page, "Step sum_rows").getByRole("button", { name: "make it an input of the pipeline" }).click();
  await page.locator(".react-flow__pane").click({ position: { x: 10, y: 10 } });
  await fill(page, "Pipeline", "Display name", "summed");
  await fill(page, "Pipeline", "Experiment", "drawn");
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await checkAccess(page);
  const [download] = await Promise.all([page.waitForEvent("download"), (async () => {
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name: "Download the YAML" }).click();
  })()]);
  const file = info.outputPath("drawn.yml");
  await download.saveAs(file);
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page).toHaveURL(/\/jobs\/\w+/);
  const job = page.url().split("/").at(-1)!;
  expect(await waitForEnd(job)).toBe("Completed");
  expect((await call("GET", `${WORKSPACE}/jobs/${job}`)).properties).toMatchObject({ displayName: "summed", experimentName: "drawn" });
  const [, subscription, , group] = WORKSPACE.split("/").slice(1);
  const words = ["-m", "smalt", "job", "create", "--file", file, "--stream", "--set", "inputs.factor=3", "--workspace-name", WORKSPACE.split("/").at(-1)!, "--resource-group", group, "--subscription", subscription];
  const said = execFileSync(process.env.STUDIO_PYTHON!, words, { env: { ...process.env, SMALT_HOME: process.env.STUDIO_HOME! }, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  expect(said).toContain("the sum is 30");
});

test("what does not fit is not connected, and says why", async ({ page }) => {
  await registerThree();
  await open(page, `designer?file=${writeProject("types", `type: pipeline
jobs:
  make: {component: azureml:make_rows:1}
  sum: {component: azureml:sum_rows:1, inputs: {factor: 2}}
`)}`);
  await page.getByRole("button", { name: "Fit View" }).click();
  await node(page, "sum").click();
  const factor = form(page, "Step sum").getByLabel("factor", { exact: true });
  await expect(factor.locator("option", { hasText: "make → table – the input 'factor' must be a number, but the output 'table' of 'make' is data (uri_folder)" })).toBeDisabled();
  await fill(page, "Step sum", "value of factor", "many");
  await expect(form(page, "Step sum").getByText("the input 'factor' must be a number, not 'many'")).toBeVisible();
  await page.keyboard.press("Escape");
  await drag(page, node(page, "sum").locator("[data-port=sum]"), node(page, "make").locator("[data-port=table]"));
  await page.mouse.up();
  await expect(page.getByRole("alert").filter({ hasText: "connect an output with an input" })).toBeVisible();
  await expect(page.locator(".react-flow__edge")).toHaveCount(0);
});

test("the text and the drawing edit each other, with problems at their places", async ({ page }) => {
  await open(page, `designer?file=${writeProject("both")}`);
  const editor = page.locator(".cm-content");
  await expect(node(page, "count")).toBeVisible();
  await editor.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("  third:\n    comand: echo third\n    environment: azureml:host@latest\n");
  await expect(node(page, "third")).toBeVisible();
  await expect(page.getByRole("button", { name: /\d problem/ })).toBeVisible();
  await expect(node(page, "third").getByText("did you mean 'command'?")).toBeAttached();
  await expect(page.locator(".cm-lint-marker-error")).toBeVisible();
  await node(page, "third").click();
  await expect(form(page, "Step third").getByText("unknown key 'comand'")).toBeVisible();
  await checkAccess(page);
  await page.keyboard.press("Delete");
  await expect(node(page, "third")).toHaveCount(0);
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(node(page, "third")).toBeVisible();
  await page.getByRole("button", { name: "Redo" }).click();
  await expect(node(page, "third")).toHaveCount(0);
  await editor.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.insertText("broken: [");
  await expect(page.getByText("The YAML does not parse")).toBeVisible();
  await expect(node(page, "count")).toBeVisible();
});

test("steps are copied, pasted, renamed, moved and removed by keyboard", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  const path = writeProject("keys");
  await open(page, `designer?file=${path}`);
  await page.getByRole("group", { name: "step count, ./count.yml" }).focus();
  await page.keyboard.press("Enter");
  await expect(form(page, "Step count")).toBeVisible();
  await page.keyboard.press("Control+c");
  await page.keyboard.press("Control+v");
  await expect(node(page, "count_2")).toBeVisible();
  await expect(form(page, "Step count_2")).toBeVisible();
  await fill(page, "Step count_2", "Name", "again");
  await expect(node(page, "again")).toBeVisible();
  await page.getByRole("group", { name: "step count, ./count.yml" }).focus();
  await page.keyboard.press("Enter");
  await fill(page, "Step count", "Name", "first");
  expect(await readText(page)).toContain("${{parent.jobs.first.outputs.table}}");
  await page.getByRole("group", { name: "step first, ./count.yml" }).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Delete");
  await expect(node(page, "first")).toHaveCount(0);
  expect(await readText(page)).not.toContain("parent.jobs.first");
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a job or command" }).fill("save the pipeline as");
  await expect(page.getByRole("option").first()).toHaveText(/Save the pipeline as/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Save the pipeline" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "A draft of the workspace" }).click();
  await page.getByLabel("Name", { exact: true }).last().fill("by keyboard");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/draft=by%20keyboard/);
  await page.reload();
  await expect(node(page, "again")).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible(); // its paths still begin in the file's folder
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE);
  await page.getByRole("link", { name: "Designer" }).last().click();
  await page.getByRole("button", { name: "Delete the draft by keyboard" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
  await checkAccess(page);
});

test("an uploaded file is registered, scheduled and published", async ({ page }) => {
  await registerThree();
  await open(page, "designer");
  const text = "type: pipeline\r\ndisplay_name: uploaded\r\ninputs: {rows: 4}\r\njobs:\r\n  make:\r\n    component: azureml:make_rows:1\r\n    inputs: {rows: '${{parent.inputs.rows}}'}";
  await page.getByLabel("A pipeline's YAML file").setInputFiles({ name: "up.yml", mimeType: "application/yaml", buffer: Buffer.from(text) });
  await expect(node(page, "make")).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  const more = async (name: string) => {
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("button", { name }).click();
  };
  await more("Register as a component…");
  await checkAccess(page);
  await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
  await expect(page.getByText("component 'uploaded' has version 1")).toBeVisible();
  await more("Schedule…");
  await page.getByLabel("Minute, hour, day").fill("nonsense");
  await page.getByRole("dialog").getByRole("button", { name: "Schedule" }).click();
  await expect(page.getByRole("dialog").getByRole("alert")).toContainText("expression");
  await page.getByLabel("Minute, hour, day").fill("5 4 * * *");
  await page.getByRole("dialog").getByRole("button", { name: "Schedule" }).click();
  await expect(page.getByText("schedule 'uploaded' is on")).toBeVisible();
  await more("Publish to a batch endpoint…");
  await page.getByRole("dialog").getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText("batch endpoint 'uploaded' runs azureml:uploaded:1")).toBeVisible();
  const endpoint = await call("GET", `${WORKSPACE}/batchEndpoints/uploaded`);
  expect(endpoint.properties.defaults.deploymentName).toBe("default");
  await call("DELETE", `${WORKSPACE}/schedules/uploaded`);
});

test("a file that another program changed is not overwritten, and outside of the folder nothing opens", async ({ page }) => {
  const path = writeProject("late");
  await open(page, `designer?file=${path}`);
  await expect(node(page, "count")).toBeVisible();
  writeFileSync(`${FILES}/${path}`, `${PIPELINE}# another's\n`);
  await node(page, "count").click();
  await fill(page, "Step count", "value of rows", "8");
  await page.keyboard.press("Control+s");
  await expect(page.getByRole("alert")).toContainText("was changed by another program");
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(`${PIPELINE}# another's\n`);
  await open(page, "designer?file=../outside.yml");
  await expect(page.getByRole("alert")).toContainText("leads out of its folder");
});
