import { call, checkAccess, expect, open, PAGES, submitPipeline, test, waitForEnd, WORKSPACE } from "./rig";

for (const [path, title, list] of [
  ["jobs/nothing", "There is no job 'nothing' in workspace", "All jobs"],
  ["models/nothing", "There is no model 'nothing' in workspace", "All models"],
  ["data/nothing/3", "There is no data asset 'nothing' in workspace", "All data"],
  ["endpoints/online/nothing", "There is no endpoint 'nothing' in workspace", "All endpoints"],
  ["schedules/nothing", "There is no schedule 'nothing' in workspace", "All schedules"],
]) {
  test(`of what is not there, ${path}, one comes to what is`, async ({ page }) => {
    await open(page, path);
    await expect(page.getByRole("heading", { name: title })).toBeVisible();
    await checkAccess(page);
    await page.getByRole("link", { name: "Search for it" }).click();
    await expect(page.getByRole("searchbox").first()).toHaveValue("nothing");
    await page.goBack();
    await page.getByRole("link", { name: list, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
}

test("a version that is not there leads to those that are", async ({ page }) => {
  await call("PUT", `${WORKSPACE}/environments/tools/versions/1`, { properties: { image: "python:3.11" } });
  await open(page, "environments/tools/7");
  await expect(page.getByRole("heading", { name: "'tools' has no version '7'; its versions are 1" })).toBeVisible();
  await page.getByRole("link", { name: "The newest version" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "tools" })).toBeVisible();
});

test("an asset whose versions are archived says so in the list", async ({ page }) => {
  const path = `${WORKSPACE}/environments/old/versions/1`;
  await call("PUT", path, { properties: { image: "python:3.11" } });
  await call("PUT", path, { properties: { image: "python:3.11", isArchived: true } });
  await open(page, "environments?search=old&view=all");
  await expect(page.getByRole("row", { name: /old/ }).getByText("archived")).toBeVisible();
});

test("a step that never ran has no time, and a preview is in sight as it opens", async ({ page }) => {
  const write = "for k in $(seq 40); do seq 200 > ${{outputs.made}}/part_$k.txt; done";
  await submitPipeline("stopped", {
    write: { command: write, outputs: ["made"] },
    fail: { command: "ls ${{inputs.made}} >/dev/null; exit 3", inputs: { made: "${{parent.jobs.write.outputs.made}}" }, outputs: ["none"] },
    after: { command: "ls ${{inputs.none}}", inputs: { none: "${{parent.jobs.fail.outputs.none}}" } },
  });
  await waitForEnd("stopped");
  await open(page, "jobs/stopped");
  await expect(page.getByRole("button", { name: "after, Canceled, canceled" })).toBeVisible();
  await page.goto(`${PAGES}/jobs/stopped?node=write&tab=data`);
  await page.locator(".port-head").first().click();
  const last = page.getByRole("button", { name: /part_9\.txt/ });
  await last.scrollIntoViewIfNeeded();
  await last.click();
  await expect(page.locator(".preview pre")).toBeInViewport({ ratio: 0.9 });
  await expect(last).toBeInViewport();
});
