import { checkAccess, expect, open, submit, test, waitForEnd, call, WORKSPACE } from "./rig";

test("jobs come into the table by themselves, and the address is the filter", async ({ page }) => {
  await open(page, "jobs?experiment=filters");
  await expect(page.getByText("No job matches")).toBeVisible();
  await submit("filter_ok", "true", { experimentName: "filters" });
  await expect(page.getByRole("row").filter({ hasText: "filter_ok" }).getByText("Completed")).toBeVisible();
  await submit("filter_bad", "exit 3", { experimentName: "filters", displayName: "it breaks" });
  const bad = page.getByRole("row").filter({ hasText: "it breaks" });
  await expect(bad.getByText("Failed")).toBeVisible();
  await expect(bad).toContainText("exited with code 3");
  await page.locator(".filter-bar").getByRole("button", { name: "State" }).click();
  await page.getByRole("checkbox", { name: /Failed/ }).check();
  await expect(page).toHaveURL(/experiment=filters.*status=Failed/);
  await expect(page.getByRole("row").filter({ hasText: "filter_ok" })).toHaveCount(0);
  await page.reload();
  await expect(bad).toBeVisible();
  await page.getByRole("button", { name: "Drop State: Failed" }).click();
  await page.getByRole("searchbox").fill("filter_ok");
  await expect(bad).toHaveCount(0);
  await expect(page).toHaveURL(/search=filter_ok/);
});

test("by keyboard: rows, the palette, and back", async ({ page }) => {
  await submit("keys_a", "true", { experimentName: "keys" });
  await waitForEnd("keys_a");
  await open(page, "jobs?experiment=keys");
  const table = page.getByRole("table", { name: "Jobs" });
  await expect(table.getByText("keys_a")).toBeVisible();
  await table.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "keys_a" })).toBeVisible();
  await page.goBack();
  await expect(table).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a job or command" }).fill("keys_a");
  await expect(page.getByRole("listbox").getByRole("option").first()).toContainText("keys_a");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "keys_a" })).toBeVisible();
});

test("several are selected and archived; groups; nothing serious for axe", async ({ page }) => {
  for (const name of ["many_a", "many_b"]) await submit(name, "true", { experimentName: "many" });
  await waitForEnd("many_b");
  await open(page, "jobs?experiment=many");
  await expect(page.getByRole("row").filter({ hasText: "many_b" })).toBeVisible();
  await checkAccess(page);
  for (const name of ["many_a", "many_b"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page.getByRole("toolbar").getByRole("button", { name: "Archive" }).click();
  await expect(page.getByText("No job matches")).toBeVisible();
  expect((await call("GET", `${WORKSPACE}/jobs/many_a`)).properties.isArchived).toBe(true);
  await page.getByLabel("Archived jobs").selectOption("all");
  await page.getByRole("button", { name: "By experiment" }).click();
  await page.getByRole("button", { name: /^many/ }).click();
  await expect(page.getByRole("link", { name: "many_a" })).toBeVisible();
  await checkAccess(page);
});

test("metrics and parameters have columns, and metrics filter and sort", async ({ page }) => {
  const log = "python3 -c \"import os, json, urllib.request as u; e = os.environ; u.urlopen(u.Request(e['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric', json.dumps({'run_id': e['MLFLOW_RUN_ID'], 'key': 'auc', 'value': 0.875, 'timestamp': 1, 'step': 0}).encode(), {'Authorization': 'Bearer ' + e['MLFLOW_TRACKING_TOKEN'], 'Content-Type': 'application/json'}))\"";
  await submit("measured", log, { experimentName: "measures" });
  test.setTimeout(180_000); // MLflow is installed when it is first used
  expect(await waitForEnd("measured")).toBe("Completed");
  await open(page, "jobs?experiment=measures");
  await submit("unmeasured", "true", { experimentName: "measures", inputs: { rate: { jobInputType: "literal", value: "0.25" } } });
  await waitForEnd("unmeasured");
  await page.locator(".page-head").getByRole("button", { name: "Columns" }).click();
  await page.getByRole("checkbox", { name: "auc" }).check();
  await page.getByRole("checkbox", { name: "rate" }).check();
  await expect(page).toHaveURL(/metric=auc&param=rate/);
  await expect(page.getByRole("cell", { name: "0.875" })).toBeVisible();
  await expect(page.getByRole("cell", { name: "0.25" })).toBeVisible();
  await checkAccess(page);
  await page.keyboard.press("Escape");
  await page.getByRole("columnheader", { name: "auc" }).getByRole("button").click();
  await expect(page).toHaveURL(/sort=-metric.auc/);
  await expect(page.getByRole("row").nth(1)).toContainText("measured");
  await page.locator(".filter-bar").getByRole("button", { name: "Metric" }).click();
  await page.getByLabel("Metric", { exact: true }).fill("auc");
  await page.getByLabel("Comparison").selectOption(">");
  await page.getByLabel("Number").fill("0.8");
  await checkAccess(page);
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await expect(page).toHaveURL(/where=auc%3E0.8/);
  await expect(page.getByRole("row").filter({ hasText: "unmeasured" })).toHaveCount(0);
  await expect(page.getByRole("cell", { name: "0.875" })).toBeVisible();
  await page.getByRole("button", { name: "Drop Metric: auc>0.8" }).click();
  await expect(page.getByRole("row").filter({ hasText: "unmeasured" })).toBeVisible();
  await checkAccess(page);
});
