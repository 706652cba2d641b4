import type { Page } from "@playwright/test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { FILES, fill, form, node, writeProject } from "./designer_rig";
import { checkAccess, expect, open, test } from "./rig";

const STEPS = `type: pipeline
jobs:
  tune:   # finds the rate
    type: sweep
    trial:
      command: echo \${{search_space.rate}}
      environment: azureml:host@latest
    search_space:
      rate: {type: uniform, min_value: 0.1, max_value: 0.9}  # wide
      kernel:
        type: choice
        values: ["rbf", linear]
    sampling_algorithm: random
    objective: {goal: minimize, primary_metric: loss}
    limits:
      max_total_trials: 5   # few
  rows:
    type: parallel
    inputs:
      data: {type: uri_folder, path: ./, mode: direct}
    outputs:
      lines: {type: uri_file, mode: rw_mount}
    input_data: \${{inputs.data}}
    mini_batch_size: "1"
    partition_keys:
      - Store
      - Brand
    odd_key: {deep: [{a: 1}]}
    task:
      type: run_function
      code: ./
      entry_script: run.py
      environment: azureml:host@latest
  again:
    type: do_while
    body: \${{parent.jobs.rows}}
    mapping: {lines: data}
    limits: {max_iteration_count: 3}
  choose:
    type: if_else
    condition: false
    true_block: \${{parent.jobs.tune}}
  each:
    type: parallel_for
    body: \${{parent.jobs.rows}}
    items: '[{"data": "x"}]'
  wrangle:
    type: spark
    code: ./
    entry: {file: wrangle.py}
    conf: {spark.driver.cores: 1}
    args: --fast
    resources: {instance_type: standard_e4s_v3, runtime_version: "3.4"}
  models:
    type: automl
    task: classification
    primary_metric: accuracy
    target_column_name: y
    training_data: {type: mltable, path: ./}
    limits: {max_trials: 2}
`;

/** Each change is of one line: what the file has at the end is what the pairs say. */
test("the keys of sweeps, parallel steps, loops, conditions, Spark and AutoML steps are read and changed in their forms", async ({ page }) => {
  test.slow(); // a form after another
  const path = writeProject("kinds", STEPS);
  const saved = () => readFileSync(`${FILES}/${path}`, "utf8");
  await open(page, `designer?file=${path}`);
  await page.getByRole("button", { name: "Fit View" }).click();
  await expect(page.locator(".react-flow__edge.control")).toHaveCount(3); // loops lead to their bodies, a condition to its block
  let text = STEPS;
  const expectText = async (from: string, to: string) => {
    expect(text).toContain(from);
    text = text.replace(from, to);
    await page.keyboard.press("Control+s");
    await expect.poll(saved).toBe(text);
  };
  const tune = await openForm(page, "tune");
  await expect(tune.getByRole("group", { name: "search_space", exact: true }).getByLabel("min_value")).toHaveValue("0.1");
  await checkAccess(page);
  await setKey(page, "tune", ["search_space", "rate"], "min_value", "0.2");
  await expectText("min_value: 0.1", "min_value: 0.2");
  await group(page, "tune", ["search_space", "rate"]).getByLabel("type").selectOption("loguniform");
  await expectText("type: uniform", "type: loguniform");
  await setKey(page, "tune", ["search_space", "kernel"], "values", "rbf, poly");
  await expectText("linear]", "poly]");
  await setKey(page, "tune", ["limits"], "max_total_trials", "0");
  await expect(tune.getByText("'max_total_trials' must be at least 1, not 0")).toBeVisible();
  await setKey(page, "tune", ["limits"], "max_total_trials", "8");
  await expectText("max_total_trials: 5 ", "max_total_trials: 8 ");
  await group(page, "tune", ["objective"]).getByLabel("goal").selectOption("maximize");
  await expectText("minimize", "maximize");
  await setKey(page, "tune", ["trial"], "command", "echo ${{search_space.kernel}}");
  await expectText("echo ${{search_space.rate}}", "echo ${{search_space.kernel}}");
  await group(page, "tune", ["early_termination"]).getByLabel("type").selectOption("bandit");
  await expectText("few\n", "few\n    early_termination:\n      type: bandit\n");
  await setKey(page, "tune", ["early_termination"], "slack_factor", "0.3", true);
  await expectText("type: bandit\n", "type: bandit\n      slack_factor: 0.3\n");
  const space = group(page, "tune", ["search_space"]);
  await space.getByLabel("Name of a new entry of search_space").fill("depth");
  await space.getByRole("button", { name: "Add the entry to search_space" }).click();
  await expect(group(page, "tune", ["search_space", "depth"]).getByLabel("max_value")).toHaveValue("1");
  await group(page, "tune", ["search_space", "depth"]).getByRole("button", { name: "Remove depth" }).click();
  await expectText("slack_factor: 0.3", "slack_factor: 0.3"); // as before

  const rows = await openForm(page, "rows");
  await expect(rows.getByText(/^odd_key/)).toBeVisible();
  await expect(rows.getByText("smalt knows no such key here").first()).toBeVisible();
  await expect(rows.getByLabel("deep, as written")).toContainText("[{a: 1}]");
  await rows.getByRole("button", { name: /line \d+ of the YAML/ }).click();
  await checkAccess(page);
  await setKey(page, "rows", [], "mini_batch_size", "10");
  await expectText('mini_batch_size: "1"', 'mini_batch_size: "10"');
  await setKey(page, "rows", [], "partition_keys", "Store, Week");
  await expectText("- Brand", "- Week");
  await setKey(page, "rows", ["task"], "entry_script", "other.py");
  await expectText("run.py", "other.py");
  await setKey(page, "rows", [], "max_concurrency_per_instance", "2");
  await expectText("      environment: azureml:host@latest\n  again", "      environment: azureml:host@latest\n    max_concurrency_per_instance: 2\n  again");
  await rows.locator(".form-port").filter({ has: page.getByLabel("lines", { exact: true }) }).getByLabel("mode").fill("upload");
  await expectText("mode: rw_mount", "mode: upload");

  await openForm(page, "again");
  await expect(form(page, "Step again").getByLabel("Command")).toHaveCount(0);
  await setKey(page, "again", ["limits"], "max_iteration_count", "4");
  await expectText("max_iteration_count: 3", "max_iteration_count: 4");
  await openForm(page, "choose");
  await setKey(page, "choose", [], "condition", "true");
  await expectText("condition: false", "condition: true");
  await openForm(page, "each");
  await setKey(page, "each", [], "items", '[{"data": "y"}]');
  await expectText('"x"', '"y"');
  await setKey(page, "each", [], "max_concurrency", "2");
  await expectText(`items: '[{"data": "y"}]'\n`, `items: '[{"data": "y"}]'\n    max_concurrency: 2\n`);
  await openForm(page, "wrangle");
  await setKey(page, "wrangle", ["conf"], "spark.driver.cores", "2");
  await expectText("spark.driver.cores: 1", "spark.driver.cores: 2");
  await setKey(page, "wrangle", [], "args", "--slow");
  await expectText("--fast", "--slow");
  await openForm(page, "models");
  await setKey(page, "models", ["limits"], "max_trials", "3");
  await expectText("max_trials: 2", "max_trials: 3");
  await setKey(page, "models", ["training_data"], "path", "azureml:cars@latest");
  await expectText("{type: mltable, path: ./}", "{type: mltable, path: azureml:cars@latest}");
  await checkAccess(page);
});

test("what no form is made for is shown as it is written: of a pipeline, too", async ({ page }) => {
  await open(page, `designer?file=${writeProject("rest", `type: pipeline
tags: {team: a}
inputs:
  n: {type: integer, value: 3, odd: 1}
settings: {default_compute: local, extra: x}
jobs:
  a:
    command: echo
    environment: {image: ubuntu, conda_file: {dependencies: [pip]}}
    environment_variables: {A: b}
    resources: {instance_count: 2}
`)}`);
  const top = form(page, "Pipeline");
  await expect(top.getByRole("group", { name: "tags" }).getByLabel("team")).toHaveValue("a");
  await expect(top.getByLabel("extra")).toHaveValue("x");
  await expect(top.getByLabel("odd")).toHaveValue("1");
  await openForm(page, "a");
  await expect(group(page, "a", ["environment"]).getByLabel("image")).toHaveValue("ubuntu");
  await expect(group(page, "a", ["environment_variables"]).getByLabel("A", { exact: true })).toHaveValue("b");
  await expect(group(page, "a", ["resources"]).getByLabel("instance_count")).toHaveValue("2");
  await checkAccess(page);
});

async function openForm(page: Page, step: string) {
  await node(page, step).click();
  await expect(form(page, `Step ${step}`)).toBeVisible();
  return form(page, `Step ${step}`);
}

function group(page: Page, step: string, names: string[]) {
  return names.reduce((place, name) => place.getByRole("group", { name, exact: true }), form(page, `Step ${step}`));
}

async function setKey(page: Page, step: string, names: string[], key: string, text: string, isNew = false): Promise<void> {
  const place = group(page, step, names);
  if (isNew) await place.getByLabel(`Add a key to ${names.at(-1)}`).selectOption(key);
  const field = place.getByLabel(key, { exact: true });
  await field.fill(text);
  await field.blur();
}

test("a new pipeline says what to do, and six steps that were added can be read", async ({ page }) => {
  await open(page, "designer");
  await page.locator(".start-actions").getByRole("link", { name: "New pipeline" }).click();
  await expect(page.getByText("No steps yet")).toBeVisible();
  await expect(page.getByText("add a step", { exact: true })).toBeVisible();
  await expect(page.getByText(/\d problem/)).toHaveCount(0);
  await page.waitForTimeout(2500); // the server has been asked twice by then
  await expect(page.getByText(/\d problem/)).toHaveCount(0);
  for (let k = 0; k < 6; k++) await page.getByRole("button", { name: "Command", exact: true }).press("Enter");
  await expect(page.locator(".react-flow__node")).toHaveCount(6);
  await expect(page.getByText("add a step", { exact: true })).toHaveCount(0);
  await expect.poll(async () => Math.min(...(await page.locator(".react-flow__node").evaluateAll((found) => found.map((one) => one.getBoundingClientRect().width))))).toBeGreaterThan(160);
});

test("a form begins at its top, and keeps that a value is to be typed", async ({ page }) => {
  const many = Array.from({ length: 30 }, (_, k) => `p${k}: {type: string, optional: true}`).join(", ");
  mkdirSync(`${FILES}/forms`, { recursive: true });
  writeFileSync(`${FILES}/forms/many.yml`, `type: command\nname: many\nversion: 1\nenvironment: azureml:host@latest\ncommand: ls\ninputs: {${many}}\n`);
  writeFileSync(`${FILES}/forms/pipeline.yml`, "type: pipeline\njobs:\n  a: {component: ./many.yml}\n  b: {component: ./many.yml}\n");
  await open(page, "designer?file=forms/pipeline.yml");
  await node(page, "a").click();
  await form(page, "Step a").getByLabel("p29", { exact: true }).selectOption("value");
  const panel = page.locator(".draw-form-panel");
  await form(page, "Step a").getByLabel("value of p29").scrollIntoViewIfNeeded();
  expect(await panel.evaluate((one) => one.scrollTop)).toBeGreaterThan(300);
  await node(page, "b").click();
  await expect(form(page, "Step b")).toBeVisible();
  expect(await panel.evaluate((one) => one.scrollTop)).toBe(0);
  await node(page, "a").click();
  await expect(form(page, "Step a").getByLabel("value of p29")).toBeAttached();
  await fill(page, "Step a", "Name", "c");
  await expect(form(page, "Step c").getByLabel("value of p29")).toBeAttached();
  await form(page, "Step c").getByLabel("p29", { exact: true }).selectOption("unset");
  await node(page, "b").click();
  await node(page, "c").click();
  await expect(form(page, "Step c").getByLabel("value of p29")).toHaveCount(0);
});

test("a step's form offers a table's port no model and no file", async ({ page }) => {
  mkdirSync(`${FILES}/offers`, { recursive: true });
  writeFileSync(`${FILES}/offers/pipeline.yml`, `type: pipeline
jobs:
  train: {command: ls, environment: azureml:host@latest, outputs: {model: {type: mlflow_model}, table: {type: uri_folder}, rows: {type: uri_file}}}
  read: {command: ls, environment: azureml:host@latest, inputs: {rows: {type: mltable, path: ./rows}}}
`);
  await open(page, "designer?file=offers/pipeline.yml");
  await node(page, "read").click();
  const options = form(page, "Step read").getByLabel("rows", { exact: true }).locator("option");
  await expect(options.filter({ hasText: "train → model" })).toHaveAttribute("disabled", "");
  await expect(options.filter({ hasText: "train → model" })).toContainText("must be data (mltable), but the output 'model' of 'train' is a model (mlflow_model)");
  await expect(options.filter({ hasText: "train → rows" })).toHaveAttribute("disabled", "");
  await expect(options.filter({ hasText: "train → rows" })).toContainText("takes an mltable, a folder with a file 'MLTable', but the output 'rows' of 'train' is a single file (uri_file)");
  await expect(options.filter({ hasText: "train → table" })).not.toHaveAttribute("disabled", "");
});
