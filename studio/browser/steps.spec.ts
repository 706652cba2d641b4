import { call, checkAccess, expect, open, putCode, submit, submitPipeline, test, waitForEnd, WORKSPACE } from "./rig";

test("a log of many pieces is searched whole", async ({ page }) => {
  await submit("long-log", "echo the needle at the beginning; seq -f 'line %.0f of filling, nothing to be found in it' 60000; echo one more Needle", { experimentName: "logs" });
  expect(await waitForEnd("long-log")).toBe("Completed");
  await open(page, "jobs/long-log?tab=log");
  await expect(page.getByText("one more Needle")).toBeVisible();
  await page.getByRole("searchbox", { name: "Search the whole log" }).fill("needle");
  await expect(page.getByRole("status").getByText("2", { exact: true })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByText("the needle at the beginning")).toBeVisible();
  await expect(page.locator(".log-line[data-current]")).toHaveText("the needle at the beginning");
  await expect(page.getByText("1 of 2")).toBeVisible();
  await page.getByRole("button", { name: "Next match" }).click();
  await expect(page.locator(".log-line[data-current]")).toHaveText("one more Needle");
  await page.getByRole("searchbox").fill("line 30000 of");
  await expect(page.getByRole("status").getByText("1", { exact: true })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.locator(".log-line[data-current]")).toHaveText("line 30000 of filling, nothing to be found in it");
  await checkAccess(page);
  await page.getByRole("searchbox").fill("nowhere");
  await expect(page.getByText("not found")).toBeVisible();
});

test("the code of a job, and what changed in it since the run before", async ({ page }) => {
  const before = { "train.py": "import sys\nrate = 0.1\nprint(rate)\n", "same.py": "x = 1\n", "gone.py": "y = 1\n" };
  const after = { "train.py": "import sys\nrate = 0.2\nprint(rate)\n", "same.py": "x = 1\n", "new.py": "z = 1\n" };
  for (const [name, files] of [["code-1", before], ["code-2", after]] as const) {
    await submit(name, "cat train.py", { experimentName: "code", codeId: await putCode(files) });
    expect(await waitForEnd(name)).toBe("Completed");
  }
  await open(page, "jobs/code-2?tab=code");
  await expect(page.getByText("Compared with the run before, code-1")).toBeVisible();
  await page.getByRole("button", { name: /^same.py/ }).click();
  await expect(page.getByRole("region", { name: "same.py" })).toContainText("x = 1");
  await page.getByRole("button", { name: "Changed (3)" }).click();
  await page.getByRole("button", { name: /^changed train.py/ }).click();
  await expect(page.locator("tr.removed")).toContainText("rate = 0.1");
  await expect(page.locator("tr.added")).toContainText("rate = 0.2");
  await checkAccess(page);
  await page.getByRole("button", { name: "Whole file" }).click();
  await expect(page.getByRole("region", { name: "train.py" })).toContainText("rate = 0.2");
  await page.getByRole("tab", { name: "Definition" }).click();
  await expect(page.getByText("command: cat train.py")).toBeVisible();
});

test("a step's environment, and the step alone", async ({ page }) => {
  const data = "${{parent.jobs.make.outputs.data}}";
  await submitPipeline("whole", {
    make: { command: "echo 7 > ${{outputs.data}}/n", outputs: ["data"] },
    use: { command: "echo it is $(cat ${{inputs.data}}/n) and ${{inputs.rate}}", inputs: { data, rate: "1" } },
  }, { experimentName: "alone" });
  expect(await waitForEnd("whole")).toBe("Completed");
  await open(page, "jobs/whole");
  await page.getByRole("button", { name: /^use,/ }).click();
  await page.getByRole("button", { name: "Environment" }).click();
  await expect(page.getByText(/\d+ packages, as this step had them/)).toBeVisible();
  await checkAccess(page);
  await page.getByRole("button", { name: "Run only this step" }).click();
  await page.getByLabel("rate").fill("2");
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  await expect(page).not.toHaveURL(/whole/);
  await expect(page.locator(".job-title").getByText("Completed")).toBeVisible();
  await page.getByRole("tab", { name: "Log" }).click();
  await expect(page.getByText("it is 7 and 2")).toBeVisible();
});

test("the trials of a sweep are counted as they end", async ({ page }) => {
  const component = { type: "command", name: "c", version: "1", environment: "azureml:host@latest", command: "sleep ${{inputs.n}}; test ${{inputs.n}} != 1", inputs: { n: { type: "number" } } };
  const tries = {
    type: "sweep", trial: component, search_space: { n: { type: "choice", values: [0, 1, 5] } }, sampling_algorithm: "grid",
    objective: { goal: "maximize", primary_metric: "score" }, limits: { max_total_trials: 3, max_concurrent_trials: 3 },
  };
  await call("PUT", `${WORKSPACE}/jobs/search`, { properties: { jobType: "Pipeline", experimentName: "tries", jobs: { tries } } });
  await open(page, "jobs/search");
  const step = page.getByRole("button", { name: /^tries, Running, 1 of 3 done, 1 failed/ });
  await expect(step).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveAttribute("aria-valuenow", "2");
  await step.click();
  await expect(page.getByText("1 of 3 done, 1 failed, 1 running")).toBeVisible();
  await checkAccess(page);
  await expect(page.getByRole("region", { name: "tries" }).getByText(/^2 of 3 done, 1 failed$/)).toBeVisible();
  await page.getByRole("button", { name: "About" }).click();
  await expect(page.getByRole("region", { name: "search" }).getByRole("tab", { name: "Definition" })).toBeVisible();
});
