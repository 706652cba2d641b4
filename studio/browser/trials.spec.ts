import { call, checkAccess, expect, open, test, waitForEnd, WORKSPACE } from "./rig";

const LOG = `
import json, os, sys, urllib.request
url = os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/log-metric"
headers = {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"], "Content-Type": "application/json"}
body = {"run_id": os.environ["MLFLOW_RUN_ID"], "key": "loss", "value": float(sys.argv[1]), "timestamp": 1, "step": 0}
urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), headers))
`;

test("a sweep: its trials as a table, as lines over axes, and the best so far", async ({ page }) => {
  test.setTimeout(180_000); // MLflow is installed when it is first used
  await call("PUT", `${WORKSPACE}/jobs/swept`, {
    properties: {
      jobType: "Sweep",
      trial: { command: 'python3 -c "$LOG" ${{search_space.rate}}', environmentId: "azureml:host@latest", environmentVariables: { LOG } },
      searchSpace: { rate: ["choice", [[3, 1, 2, 5]]], kind: ["choice", [["tree", "linear", "dart"]]] },
      samplingAlgorithm: { samplingAlgorithmType: "Grid" },
      objective: { goal: "minimize", primaryMetric: "loss" },
      limits: { jobLimitsType: "Sweep", maxTotalTrials: 12, maxConcurrentTrials: 4 },
      experimentName: "sweeps",
    },
  });
  await open(page, "jobs/swept");
  await expect(page.locator(".job-title").getByText("Completed")).toBeVisible({ timeout: 120_000 });
  const table = page.getByRole("region", { name: "Table of trials" });
  await expect(table.getByRole("row")).toHaveCount(13);
  await expect(table.getByRole("row").nth(1)).toContainText("best");
  await expect(table.getByRole("row").nth(1).getByRole("cell").nth(2)).toHaveText("1");
  await expect(page.getByRole("img", { name: /Parallel coordinates of 12 trials over rate, kind, loss/ })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Best so far" })).toBeVisible();
  const importance = page.locator(".importance li");
  await expect(importance.first()).toContainText("rate");
  const best = page.locator(".trials-head").getByRole("link", { name: /^trial_\d+$/ });
  await expect(best).toHaveAttribute("href", /\/jobs\/swept_\d+$/);
  const name = (await best.textContent())!;
  await expect(table.getByRole("row").nth(1)).toContainText(name);
  const duration = (await table.getByRole("row").filter({ has: page.getByRole("button", { name, exact: true }) }).getByRole("cell").last().textContent())!;
  await page.getByRole("button", { name: "Timeline" }).click();
  await expect(page.locator(".gantt-row").filter({ has: page.getByText(name, { exact: true }) }).locator(".gantt-time")).toHaveText(duration);
  // Each trial of the path began where the one before it had ended, from the first four to the end of the sweep.
  const { jobs: trials } = await call("GET", `/smalt/v1${WORKSPACE}/jobs/swept/graph`);
  const labels = await page.locator(".gantt-row[data-critical] .gantt-label").allTextContents();
  const path = trials.filter((trial: any) => labels.includes(trial.node)).sort((a: any, b: any) => a.start - b.start);
  expect(path.length).toBeGreaterThan(1);
  path.slice(1).forEach((trial: any, k: number) => expect(trial.start - path[k].end).toBeGreaterThan(-1));
  const starts = trials.slice(1).map((trial: any) => trial.start).sort((a: number, b: number) => a - b);
  expect(starts.indexOf(path[0].start)).toBeLessThan(4);
  await page.getByRole("button", { name: "Trials", exact: true }).click();
  await checkAccess(page);
  const tops = await page.locator(".job-title .button").evaluateAll((found) => found.map((one) => Math.round(one.getBoundingClientRect().top)));
  expect(tops.length).toBeGreaterThan(5);
  expect(new Set(tops).size).toBe(1); // in one row

  await table.getByRole("button", { name: "rate" }).click();
  await table.getByRole("button", { name: "rate" }).click();
  await expect(table.getByRole("row").nth(1).getByRole("cell").nth(2)).toHaveText("5");
  await page.locator(".parallel").scrollIntoViewIfNeeded();
  const grab = (await page.locator(".parallel .grab").first().boundingBox())!;
  await page.mouse.move(grab.x + grab.width / 2, grab.y + grab.height - 3);
  await page.mouse.down();
  await page.mouse.move(grab.x + grab.width / 2, grab.y + grab.height * 0.8, { steps: 4 });
  await page.mouse.up();
  await expect(table.getByRole("row")).toHaveCount(4);
  await expect(page.getByRole("status").filter({ hasText: "3 trials of 12 on the chosen parts of rate" })).toBeVisible();
  await page.getByRole("button", { name: "Drop the part of rate" }).click();
  await expect(table.getByRole("row")).toHaveCount(13);

  await table.getByRole("button", { name: "trial_0", exact: true }).click();
  await expect(page.getByRole("region", { name: "trial_0" }).getByRole("tab", { name: "Summary" })).toBeVisible();
  for (const name of ["trial_0", "trial_1"]) await table.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
  await table.locator("..").getByRole("link", { name: "Compare 2" }).click();
  await expect(page.getByRole("list", { name: "Jobs that are compared" }).getByRole("listitem")).toHaveCount(2);
  expect(await waitForEnd("swept")).toBe("Completed");
});
