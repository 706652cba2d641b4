import { call, checkAccess, expect, open, putCode, submit, submitPipeline, test, waitForEnd, WORKSPACE } from "./rig";

const DATA = "${{parent.jobs.prepare.outputs.data}}";
const prepare = { command: "echo 1 > ${{outputs.data}}/f", outputs: ["data"] };

test("two runs: what differs in parameters, code and graph", async ({ page }) => {
  const more = (rate: string) => ({ inputs: { rate: { jobInputType: "literal", value: rate } }, experimentName: "compare", displayName: "prices" });
  const train = (code: string) => ({ command: "sh train.sh ${{inputs.rate}}; ls ${{inputs.data}}", inputs: { data: DATA, rate: "${{parent.inputs.rate}}" }, code });
  const first = await putCode({ "train.sh": "echo begin\necho rate $1\necho end\n", "notes.txt": "old\n" });
  const second = await putCode({ "train.sh": "echo begin\necho the rate is $1\necho end\n", "extra.txt": "new\n" });
  await submitPipeline("run_1", { prepare, train: train(first), old_report: { command: "true", inputs: { data: DATA } } }, more("0.1"));
  expect(await waitForEnd("run_1")).toBe("Completed");
  await submitPipeline("run_2", { prepare, train: train(second), new_report: { command: "true", inputs: { data: DATA } } }, more("0.2"));
  expect(await waitForEnd("run_2")).toBe("Completed");

  await open(page, "jobs/run_2");
  await page.locator(".actions").getByRole("button", { name: "Compare" }).click();
  await page.getByRole("link", { name: /With the previous run/ }).click();
  await expect(page).toHaveURL(/compare\?jobs=run_1,run_2/);
  const facts = page.getByRole("region", { name: "Facts of the jobs" });
  await expect(facts.getByRole("row", { name: "rate 0.1 0.2", exact: true })).toBeVisible();
  await expect(facts.getByRole("row", { name: /^experiment / })).toHaveCount(0);
  await page.getByRole("checkbox", { name: "Show equal rows" }).check();
  await expect(facts.getByRole("row", { name: "experiment compare compare" })).toBeVisible();
  await expect(page).toHaveURL(/all=1/);
  await checkAccess(page);

  await page.getByRole("tab", { name: "Code" }).click();
  await expect(page.getByRole("heading", { name: "train", exact: true })).toBeVisible();
  const lines = page.getByRole("region", { name: "Lines of train.sh that differ" });
  await expect(lines.getByText("echo rate $1")).toBeVisible();
  await expect(lines.getByText("echo the rate is $1")).toBeVisible();
  for (const name of [/^removed notes.txt/, /^added extra.txt/]) await expect(page.getByRole("button", { name })).toBeVisible();
  await page.getByRole("button", { name: "Side by side" }).click();
  await expect(lines.getByRole("row", { name: /^2 − ?echo rate .1 2 \+ ?echo the rate is .1$/ })).toBeVisible();
  await checkAccess(page);

  await page.getByRole("tab", { name: "Graph" }).click();
  await expect(page.getByRole("button", { name: /^train, .*code, parameter$/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /^old_report, .*no longer there$/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /^new_report, .*only in this job$/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /^prepare, .*the same$/ })).toBeVisible();
  await page.getByRole("button", { name: /^train,/ }).click();
  const panel = page.getByRole("region", { name: "train", exact: true });
  await expect(panel.getByRole("row", { name: "parameter rate 0.1 0.2" })).toBeVisible();
  await expect(panel.getByText("echo the rate is $1")).toBeVisible();
  await checkAccess(page);
  await page.reload();
  await expect(panel.getByRole("row", { name: "parameter rate 0.1 0.2" })).toBeVisible();
  await panel.getByRole("link", { name: "Compare these two steps" }).click();
  await expect(facts.getByRole("row", { name: "rate 0.1 0.2", exact: true })).toBeVisible();
});

test("jobs are selected in the table, added, put first and left out; variables without secrets", async ({ page }) => {
  for (const [name, key] of [["pick_a", "k1"], ["pick_b", "k2"], ["pick_c", "k1"]]) {
    await submit(name, "true", { experimentName: "picks", environmentVariables: { API_KEY: key, MODE: name } });
    await waitForEnd(name);
  }
  await open(page, "jobs?experiment=picks");
  for (const name of ["pick_a", "pick_b"]) await page.getByRole("checkbox", { name: `Select ${name}` }).check();
  await page.getByRole("toolbar").getByRole("link", { name: "Compare" }).click();
  const chips = page.getByRole("list", { name: "Jobs that are compared" });
  await expect(chips.getByRole("listitem")).toHaveText([/pick_a.*first/, /pick_b/]);
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a job or command" }).fill("add a job");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: /pick_c/ }).click();
  await expect(chips.getByRole("listitem")).toHaveText([/pick_a/, /pick_b/, /pick_c/]);
  await chips.getByRole("listitem").filter({ hasText: "pick_c" }).getByRole("button", { name: "Put first" }).click();
  await page.getByRole("button", { name: "Leave out pick_a" }).click();
  await expect(chips.getByRole("listitem")).toHaveText([/pick_c.*first/, /pick_b/]);
  await page.getByRole("tab", { name: "Environment" }).click();
  await expect(page.getByRole("row", { name: /^API_KEY hidden \(.*hidden \(/ })).toBeVisible();
  await expect(page.getByRole("row", { name: "MODE pick_c pick_b" })).toBeVisible();
  await checkAccess(page);
  await page.getByRole("tab", { name: "Graph" }).click();
  await expect(page.getByText("Neither job has steps")).toBeVisible();
  await page.getByRole("tab", { name: "Code" }).click();
  await expect(page.getByText("Neither ran code of its own")).toBeVisible();
});

test("an empty page says what to do, and a job that is not there is a sentence", async ({ page }) => {
  await open(page, "jobs");
  await expect(page.getByRole("heading", { name: "Jobs", exact: true })).toBeVisible();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a job or command" }).fill("compare jobs");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Choose the jobs to compare")).toBeVisible();
  await checkAccess(page);
  await open(page, "compare?jobs=nobody,none");
  await expect(page.getByRole("alert")).toContainText("there is no job 'nobody'");
});

test("metrics: the last and the best values, and curves over each other", async ({ page }) => {
  test.setTimeout(180_000); // MLflow is installed when it is first used
  const log = (values: number[]) => `python3 -c "
import os, json, urllib.request as u
e = os.environ
for step, value in enumerate([${values}]):
    u.urlopen(u.Request(e['MLFLOW_TRACKING_URI'] + '/api/2.0/mlflow/runs/log-metric', json.dumps({'run_id': e['MLFLOW_RUN_ID'], 'key': 'loss', 'value': value, 'timestamp': step, 'step': step}).encode(), {'Authorization': 'Bearer ' + e['MLFLOW_TRACKING_TOKEN'], 'Content-Type': 'application/json'}))
"`;
  await submit("loss_1", log([4, 2, 2.5]), { experimentName: "losses" });
  await submit("loss_2", log([4, 1.5, 2]), { experimentName: "losses" });
  for (const name of ["loss_1", "loss_2"]) expect(await waitForEnd(name)).toBe("Completed");
  await open(page, "compare?jobs=loss_1,loss_2&tab=metrics");
  const row = page.getByRole("row", { name: /^loss / });
  await expect(row).toContainText("lower is better");
  await expect(row.getByRole("cell").nth(0)).toContainText("2.5lowest 2");
  await expect(row.getByRole("cell").nth(1)).toContainText("2best");
  await expect(row.getByRole("cell").nth(1)).toContainText("−0.5, −20 %");
  await expect(page.locator(".chart").filter({ hasText: "loss" }).locator("canvas").first()).toBeVisible();
  await checkAccess(page);
  await row.getByRole("button", { name: "lower is better" }).click();
  await expect(row.getByRole("cell").nth(0)).toContainText("best");
  await expect(page).toHaveURL(/flip=loss/);
  expect((await call("GET", `${WORKSPACE}/jobs/loss_1`)).properties.status).toBe("Completed");
});
