import type { Page } from "@playwright/test";
import { readFileSync, writeFileSync } from "node:fs";
import { COMPONENT, FILES, PIPELINE, fill, form, node, readText, waitUntilStill, writeProject } from "./designer_rig";
import { checkAccess, expect, open, test } from "./rig";

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

test("a number begins empty and is named as missing, and shared lines are not changed unsaid", async ({ page }) => {
  const path = writeProject("shared", `type: pipeline
jobs:
  first:
    component: ./count.yml
    inputs: &ports {rows: 5}
  second:
    component: ./count.yml
    inputs: *ports # the same
  third: {component: ./need.yml, inputs: {factor: 1}}
inputs: {rate: 1}
`);
  writeFileSync(`${FILES}/shared/need.yml`, COMPONENT.replace(/rows: .*\}/, "factor: {type: number}").replace("inputs.rows", "inputs.factor").replace("name: count", "name: need"));
  await open(page, `designer?file=${path}`);
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await node(page, "third").click();
  const factor = form(page, "Step third").getByLabel("factor", { exact: true });
  await factor.selectOption({ label: "the pipeline's rate" });
  await factor.selectOption("value");
  await expect(form(page, "Step third").getByLabel("value of factor", { exact: true })).toHaveValue("");
  await expect(node(page, "third").getByText("the input 'factor' (number) of the component is not given")).toBeAttached();
  await fill(page, "Step third", "value of factor", "0.5");
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await node(page, "second").click();
  await fill(page, "Step second", "value of rows", "7");
  await expect.poll(() => readText(page)).toContain("inputs: # the same\n      <<: *ports\n      rows: 7\n");
  await page.getByRole("button", { name: "Undo" }).click();
  await node(page, "first").click();
  await fill(page, "Step first", "value of rows", "8");
  await expect(page.getByText("'second' changed as well: it has the same lines")).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
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
  await expect(page.getByRole("listbox", { name: "Jobs and commands" }).getByRole("option").first()).toHaveText(/Save the pipeline as/);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Save the pipeline" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "A draft of the workspace" }).click();
  await page.getByLabel("Name", { exact: true }).last().fill("by keyboard");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page).toHaveURL(/draft=by%20keyboard/);
  await page.reload();
  await expect(node(page, "again")).toBeVisible();
  const problems = page.getByRole("list", { name: "Problems" }); // the last step's input is gone; paths still begin in the file's folder
  await expect(problems).toContainText("inputs.table");
  await expect(problems).not.toContainText("in no folder");
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE);
  await page.getByRole("link", { name: "Designer" }).last().click();
  await page.getByRole("button", { name: "Delete the draft by keyboard" }).click();
  await expect(page.getByText("None yet.")).toBeVisible();
  await checkAccess(page);
});

test("a nested pipeline is drawn inside, and a component file is added from the folder", async ({ page }) => {
  await open(page, `designer?file=${writeProject("nested", "type: pipeline\njobs: {}\n")}`);
  await expect(page.getByText("No steps yet")).toBeVisible();
  const palette = page.getByRole("complementary", { name: "Components" });
  await palette.getByRole("button", { name: "count", exact: true }).press("Enter");
  await expect(node(page, "count")).toBeVisible();
  await palette.getByRole("button", { name: "Pipeline", exact: true }).click();
  await form(page, "Step nested").getByRole("button", { name: "Open" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("nested");
  await node(page, "command").click();
  await fill(page, "Step command", "Command", "echo inside");
  await page.locator(".react-flow__pane").click({ position: { x: 10, y: 10 } });
  const inner = form(page, "Pipeline");
  await inner.getByLabel("Name of a new input").fill("word");
  await inner.getByLabel("Type of the new input").selectOption("string");
  await inner.getByRole("button", { name: "Add the input" }).click();
  await checkAccess(page);
  await page.getByRole("button", { name: "nested/pipeline.yml" }).click();
  await node(page, "nested").click();
  await expect(form(page, "Step nested").getByLabel("word", { exact: true })).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await page.keyboard.press("Control+s");
  await expect(page.getByText("saved nested/pipeline.yml")).toBeVisible();
  const text = readFileSync(`${FILES}/nested/pipeline.yml`, "utf8");
  expect(text).toContain("    component: ./count.yml\n");
  expect(text).toContain("          command: echo inside\n");
});

test("Ctrl S saves what a field has, and Ctrl Z undoes it wherever the focus is", async ({ page }) => {
  const path = writeProject("typed");
  const saved = () => readFileSync(`${FILES}/${path}`, "utf8");
  await open(page, `designer?file=${path}`);
  await node(page, "count").click();
  const field = form(page, "Step count").getByLabel("value of rows", { exact: true });
  await field.fill("8");
  await page.keyboard.press("Control+s");
  await expect.poll(saved).toBe(PIPELINE.replace("rows: 5", "rows: 8"));
  await field.fill("many");
  await page.keyboard.press("Control+s");
  await expect(form(page, "Step count").getByRole("alert")).toContainText("must be an integer");
  await field.fill("8");
  await field.fill("9");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect.poll(saved).toBe(PIPELINE.replace("rows: 5", "rows: 9"));
  await page.keyboard.press("Control+z"); // a saving button has no focus
  await expect(field).toHaveValue("8");
  await expect.poll(() => readText(page)).toContain("rows: 8");
  await expect(page.getByText("not saved", { exact: true })).toBeVisible();
  await field.focus();
  await page.keyboard.press("Control+z");
  await expect(field).toHaveValue("5");
  await page.keyboard.press("Control+y");
  await expect(field).toHaveValue("8");
  expect(saved()).toBe(PIPELINE.replace("rows: 5", "rows: 9"));
});

test("what is typed while a save is under way is not saved, and is by the next one", async ({ page }) => {
  const { saved, field, answerSaves } = await saveUnanswered(page, "slow");
  await field.fill("9");
  await page.keyboard.press("Control+s");
  answerSaves();
  await expect.poll(saved).toBe(PIPELINE.replace("rows: 5", "rows: 9"));
  await expect(page.getByText("not saved", { exact: true })).toBeHidden();
});

test("what is undone while a save is under way is not saved", async ({ page }) => {
  const { path, field, answerSaves } = await saveUnanswered(page, "undone");
  await page.keyboard.press("Control+z");
  await expect(field).toHaveValue("5");
  answerSaves();
  await expect(page.getByText(`saved ${path}`)).toBeVisible();
  await expect(page.getByText("not saved", { exact: true })).toBeVisible();
});

test("a large pipeline opens at its beginning, and takes keys and connections as a small one does", async ({ page }) => {
  const steps = Array.from({ length: 160 }, (_, k) => `  step_${k}:\n    command: echo\n    environment: azureml:host@latest\n    inputs: {${k ? `data: {type: uri_folder, path: "\${{parent.jobs.step_${k - 1}.outputs.made}}"}, ` : ""}rate: ${k}}\n    outputs: {made: {type: uri_folder}}\n`);
  await page.addInitScript(() => {
    const read = window.getComputedStyle;
    const counted = Object.assign(window, { measurements: 0 }); // React Flow looks at its viewport's style in each
    window.getComputedStyle = (element, pseudo) => {
      if (element.classList.contains("xyflow__viewport")) counted.measurements += 1;
      return read(element, pseudo);
    };
  });
  await open(page, `designer?file=${writeProject("large", `type: pipeline\njobs:\n${steps.join("")}`)}`);
  await expect(node(page, "step_0")).toBeInViewport();
  expect(await page.locator("[data-step]").count()).toBeLessThan(60);
  await waitUntilStill(node(page, "step_0"));
  expect(await page.evaluate(() => (window as unknown as { measurements: number }).measurements)).toBeLessThan(20);
  await node(page, "step_3").click();
  const choice = form(page, "Step step_3").getByLabel("data", { exact: true });
  await expect(choice).toHaveValue("${{parent.jobs.step_2.outputs.made}}");
  await choice.focus();
  await expect(choice.locator("option")).toHaveCount(161);
  await expect(choice.locator("option", { hasText: "step_9 → made" })).toBeDisabled(); // it waits for this one
  await choice.selectOption({ label: "step_0 → made" });
  await expect(page.locator('[data-testid="rf__edge-step:step_0.made>step:step_3.data"]')).toBeAttached();
  await fill(page, "Step step_3", "Name", "third");
  await expect(node(page, "third")).toBeVisible();
  await checkAccess(page);
  await page.locator(".cm-content").click();
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("# typed\n");
  await expect(page.getByText("not saved", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Fit View" }).click();
  await expect(node(page, "step_159")).toBeInViewport();
});

/** Save a change of a new file, of which the page hears once `answerSaves` is called. */
async function saveUnanswered(page: Page, name: string) {
  const path = writeProject(name);
  const saved = () => readFileSync(`${FILES}/${path}`, "utf8");
  await open(page, `designer?file=${path}`);
  await node(page, "count").click();
  const field = form(page, "Step count").getByLabel("value of rows", { exact: true });
  const answerSaves = await holdSaves(page, name);
  await field.fill("8");
  await page.keyboard.press("Control+s");
  await expect.poll(saved).toBe(PIPELINE.replace("rows: 5", "rows: 8"));
  return { path, saved, field, answerSaves };
}

/** Let files be written, and keep the answers from the page until the returned function is called. */
async function holdSaves(page: Page, name: string): Promise<() => void> {
  let answer = () => {};
  const held = new Promise<void>((resolve) => (answer = resolve));
  await page.route((url) => url.href.includes(name) && url.pathname.includes("file"), async (route) => {
    if (route.request().method() === "GET") return route.continue();
    const response = await route.fetch();
    await held;
    await route.fulfill({ response });
  });
  return answer;
}
