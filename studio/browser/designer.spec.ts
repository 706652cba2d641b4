import { readFileSync } from "node:fs";
import { FILES, PIPELINE, drag, fill, form, node, readText, registerThree, runSmalt, waitUntilStill, writeProject } from "./designer_rig";
import { call, checkAccess, expect, open, test, waitForEnd, WORKSPACE } from "./rig";

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
  await expect(page.getByText("1 problem", { exact: true })).toBeVisible(); // the text is not what the form shows
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page.getByRole("alert").getByText("the pipeline is not what its form shows")).toBeVisible();
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await node(page, "show").click(); // the text stays with its step, which is marked
  await expect(node(page, "count").getByText("value of rows: the input 'rows' must be at most 100, not 500")).toBeAttached();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByRole("alert").getByText("step 'count', value of rows: the input 'rows' must be at most 100, not 500")).toBeVisible();
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE);
  await expect(value).toHaveValue("500"); // Save leads there
  await page.getByRole("button", { name: "Close", exact: true }).click();
  await value.fill("7");
  await value.press("Enter");
  await checkAccess(page);
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(`saved ${path}`)).toBeVisible();
  expect(readFileSync(`${FILES}/${path}`, "utf8")).toBe(PIPELINE.replace("rows: 5 ", "rows: 7 "));
  for (const text of ["500", "7"]) {
    await value.fill(text);
    await value.press("Enter");
    await page.getByRole("button", { name: "Submit" }).click();
    if (text === "500") await expect(page.getByRole("alert").getByText("the pipeline is not what its form shows")).toBeVisible();
  }
  await expect(page).toHaveURL(/\/jobs\/\w+/);
  await expect(page.getByRole("alert")).toHaveCount(0); // what was refused before is mended
  expect(await waitForEnd(page.url().split("/").at(-1)!)).toBe("Completed");
});

test("a text that could not be taken is found again, and blocks nothing once its field is gone", async ({ page }) => {
  const path = writeProject("refused", PIPELINE.replace("show:\n", "show:\n    limits: {timeout: 60}\n"));
  const tooMany = page.getByText("the input 'rows' must be at most 100, not 500", { exact: true });
  await open(page, "designer");
  await page.getByRole("button", { name: "refused" }).click();
  await page.getByRole("link", { name: "pipeline.yml" }).click();
  await node(page, "count").click();
  await fill(page, "Step count", "value of rows", "500");
  await expect(tooMany).toBeVisible();
  await page.getByRole("navigation", { name: "Above this drawing" }).getByRole("link", { name: "Designer" }).click();
  await page.getByRole("region", { name: "Not saved" }).getByRole("link", { name: path }).click();
  await node(page, "count").click();
  await expect(form(page, "Step count").getByLabel("value of rows")).toHaveValue("500");
  await fill(page, "Step count", "Name", "counted");
  await expect(form(page, "Step counted").getByLabel("value of rows")).toHaveValue("500");
  await form(page, "Step counted").getByLabel("rows", { exact: true }).selectOption("unset");
  await expect(tooMany).toHaveCount(0);
  await node(page, "show").click();
  await fill(page, "Step show", "timeout", "soon");
  await expect(page.getByText("1 problem", { exact: true })).toBeVisible();
  await page.getByRole("button", { name: "Remove limits" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText(`saved ${path}`)).toBeVisible();
  expect(readFileSync(`${FILES}/${path}`, "utf8")).not.toMatch(/rows: 5|limits/);
});

test("a new pipeline is new, and what was not saved is found again", async ({ page }) => {
  await open(page, "designer");
  await page.getByRole("link", { name: "New pipeline" }).click();
  await page.getByRole("button", { name: "Command", exact: true }).press("Enter");
  await expect(node(page, "command")).toBeVisible();
  await page.getByRole("navigation", { name: "Above this drawing" }).getByRole("link", { name: "Designer" }).click();
  const unsaved = page.getByRole("region", { name: "Not saved" });
  await expect(unsaved.getByText("1 step")).toBeVisible();
  await checkAccess(page);
  await page.locator(".start-actions").getByRole("link", { name: "New pipeline" }).click();
  await expect(page.getByRole("region", { name: "Pipeline" })).toBeVisible();
  await expect(page.locator(".react-flow__node")).toHaveCount(0);
  await page.getByRole("navigation", { name: "Above this drawing" }).getByRole("link", { name: "Designer" }).click();
  await expect(unsaved.getByRole("listitem")).toHaveCount(1); // nothing was drawn in the other
  await unsaved.getByRole("link", { name: "New pipeline" }).click();
  await expect(node(page, "command")).toBeVisible();
});

test("draw a three-step pipeline from nothing, run it, and run its YAML by the command line", async ({ page }, info) => {
  await registerThree();
  await open(page, "designer");
  await page.locator(".start-actions").getByRole("link", { name: "New pipeline" }).click();
  const palette = page.getByRole("complementary", { name: "Components" });
  for (const [name, step] of [["Make rows", "make_rows"], ["Sum rows", "sum_rows"], ["Show sum", "show_sum"]]) {
    await palette.getByLabel("Find a component").fill(name);
    await palette.getByRole("button", { name }).click();
    await expect(node(page, step)).toBeVisible();
  }
  await palette.getByLabel("Find a component").fill("");
  await page.getByRole("button", { name: "Fit View" }).click();
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
  const said = runSmalt("job", "create", "--file", file, "--stream", "--set", "inputs.factor=3");
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

test("a job is opened in the designer, changed, and submitted again", async ({ page }) => {
  await registerThree();
  const table = "${{parent.jobs.make.outputs.table}}";
  const jobs = {
    make: { type: "command", componentId: "azureml:make_rows@latest", inputs: { rows: { job_input_type: "literal", value: "6" } } },
    sum: { type: "command", componentId: "azureml:sum_rows:1", inputs: { table: { job_input_type: "uri_folder", uri: table }, factor: { job_input_type: "literal", value: "2" } } },
    show: { type: "command", componentId: "azureml:show_sum:1", inputs: { sum: { job_input_type: "uri_folder", uri: "${{parent.jobs.sum.outputs.sum}}" } } },
  };
  await call("PUT", `${WORKSPACE}/jobs/first-run`, { properties: { jobType: "Pipeline", displayName: "first", jobs } });
  expect(await waitForEnd("first-run")).toBe("Completed");
  await open(page, "jobs/first-run");
  await page.getByRole("link", { name: "Open in the designer" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Copy of first-run");
  await expect(node(page, "sum")).toBeVisible();
  await expect(page.locator(".react-flow__edge")).toHaveCount(2);
  expect(await readText(page)).toContain("azureml:make_rows@latest"); // as it was submitted
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await expect(page.getByText("not saved", { exact: true })).toBeHidden();
  await checkAccess(page);
  await node(page, "sum").click();
  await fill(page, "Step sum", "value of factor", "5");
  await page.getByRole("button", { name: "Submit" }).click();
  await expect(page).toHaveURL(/\/jobs\/(?!first-run)\w+/);
  const job = page.url().split("/").at(-1)!;
  expect(await waitForEnd(job)).toBe("Completed");
  const { value } = await call("GET", `/smalt/v1${WORKSPACE}/jobs/${job}/graph`).then(({ jobs: found }) => ({ value: found.find((one: { node: string }) => one.node === "show").name }));
  const log = await fetch(`${process.env.STUDIO_URL}/smalt/v1${WORKSPACE}/datastores/workspaceartifactstore/files/ExperimentRun/dcid.${value}/user_logs/std_log.txt`, { headers: { authorization: `Bearer ${process.env.STUDIO_TOKEN}` } });
  expect(await log.text()).toContain("the sum is 105");
});

test("a registered pipeline component is opened in the designer and registered as the next version", async ({ page }) => {
  await registerThree();
  const componentSpec = { type: "pipeline", name: "counting", version: "1", inputs: { rows: { type: "integer", default: 4 } }, jobs: { make: { type: "command", component: "azureml:make_rows:1", inputs: { rows: "${{parent.inputs.rows}}" } } } };
  await call("PUT", `${WORKSPACE}/components/counting/versions/1`, { properties: { componentSpec } });
  await open(page, "components/counting/1");
  await checkAccess(page);
  await page.getByRole("link", { name: "Open in the designer" }).click();
  await expect(node(page, "make")).toBeVisible();
  await expect(page.getByText("valid", { exact: true })).toBeVisible();
  await fill(page, "Pipeline", "Default of rows", "9");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Register as a component…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Register" }).click();
  await expect(page.getByText("component 'counting' has version 2")).toBeVisible();
  expect((await call("GET", `${WORKSPACE}/components/counting/versions/2`)).properties.componentSpec.inputs.rows.default).toBe("9");
});

test("registered data is found, and dragged to a step, an input, or the drawing", async ({ page }) => {
  await registerThree();
  const put = (name: string, dataType: string) => call("PUT", `${WORKSPACE}/data/${name}/versions/1`, { properties: { dataType, dataUri: `azureml://datastores/workspaceblobstore/paths/${name}/` } });
  await put("numbers", "uri_folder");
  await put("titles", "uri_file");
  const path = writeProject("data", "type: pipeline\ninputs:\n  table: {type: uri_folder, path: ./old}   # the table\njobs:\n  sum: {component: azureml:sum_rows:1, inputs: {factor: 2}}\n  take:\n    command: cat ${{inputs.file}}\n    environment: azureml:host@latest\n    inputs:\n      file: {type: uri_file, path: ./pipeline.yml, mode: direct}   # a file\n");
  await open(page, `designer?file=${path}`);
  await page.getByRole("button", { name: "Fit View" }).click();
  await waitUntilStill(node(page, "sum"));
  const palette = page.getByRole("complementary", { name: "Components" });
  const item = (name: string) => palette.getByRole("button", { name, exact: true });
  await item("numbers").dragTo(node(page, "sum"));
  await expect.poll(() => readText(page)).toContain("sum: {component: azureml:sum_rows:1, inputs: {factor: 2, table: { type: uri_folder, path: azureml:numbers@latest }}}");
  await item("titles").dragTo(node(page, "take").locator(".draw-port").first());
  await expect.poll(() => readText(page)).toContain("file: {type: uri_file, path: azureml:titles@latest, mode: direct}   # a file");
  await item("numbers").dragTo(page.locator('[data-id="input:table"]'));
  await expect.poll(() => readText(page)).toContain("table: {type: uri_folder, path: azureml:numbers@latest}   # the table");
  await palette.getByLabel("Find a component or data").fill("titl");
  await expect(item("numbers")).toHaveCount(0);
  await checkAccess(page);
  await item("titles").press("Enter");
  await expect(page.locator('[data-id="input:titles"]')).toBeVisible();
  await item("titles").dragTo(page.locator(".react-flow__pane"), { targetPosition: { x: 40, y: 40 } });
  await expect(page.locator('[data-id="input:titles_2"]')).toBeVisible();
  await expect.poll(() => readText(page)).toContain("titles_2:\n    type: uri_file\n    path: azureml:titles@latest");
  await palette.getByLabel("Find a component or data").fill("nothing of the kind");
  await expect(palette.getByText("No component and no data is called so.")).toBeVisible();
});
