import { test } from "@playwright/test";
import { shoot } from "./camera";
import { open, PAGES } from "./rig";

test("every page", async ({ page }) => {
  await open(page, "jobs");
  await page.getByRole("row").nth(8).waitFor();
  await shoot(page, "jobs");
  await page.goto(`${PAGES}/jobs?group=experiment`);
  await page.locator(".group-head").first().click();
  await page.locator(".newest li").first().waitFor();
  await shoot(page, "experiments");
  await page.goto(`${PAGES}/jobs/fares_1`);
  await page.locator(".excerpt-line").first().waitFor();
  await shoot(page, "job-failed");
  await page.goto(`${PAGES}/jobs/fares_1?view=timeline`);
  await page.locator(".gantt-row").nth(3).waitFor();
  await shoot(page, "job-timeline");
  await page.goto(`${PAGES}/jobs/fares_2?node=download&tab=data`);
  await page.locator(".port-head").first().click();
  await page.locator(".file-list button").first().click();
  await page.locator(".preview table").waitFor();
  await shoot(page, "job-data");
  await page.goto(`${PAGES}/jobs/digits_1?tab=metrics`);
  await page.locator(".curve canvas").first().waitFor();
  await shoot(page, "job-metrics");
  await page.goto(`${PAGES}/jobs/digits_1?tab=log`);
  await page.locator(".log-line").first().waitFor();
  await shoot(page, "job-log");
  await page.goto(`${PAGES}/designer?file=prices.yml`);
  await page.getByText("valid", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Fit View" }).click();
  await page.waitForTimeout(400);
  await page.locator('[data-step="clean"]').click();
  await shoot(page, "designer");
  await page.goto(`${PAGES}/designer?file=stores.yml`);
  await page.getByText("valid", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Fit View" }).click();
  await page.waitForTimeout(400);
  await page.locator('[data-step="each_store"]').click();
  await shoot(page, "designer-loop");
  await page.goto(`${PAGES}/jobs/rents`);
  await page.locator(".pictures img").first().waitFor();
  await shoot(page, "automl");
  await page.locator(".reports").scrollIntoViewIfNeeded();
  await page.locator(".reports").evaluate((element) => element.scrollIntoView());
  await shoot(page, "automl-reports");
  await page.goto(`${PAGES}/jobs?experiment=digits&param=rate&param=epochs&metric=test_accuracy&metric=loss&sort=-metric.test_accuracy`);
  await page.getByRole("cell", { name: "0.914" }).waitFor();
  await shoot(page, "jobs-metrics");
  for (const [name, path, ready] of [
    ["compare", "compare?jobs=digits_1,digits_2", ".compare-table"],
    ["compare-metrics", "compare?jobs=digits_1,digits_2&tab=metrics", ".chart canvas"],
    ["compare-code", "compare?jobs=digits_1,digits_2&tab=code&lines=side-by-side", ".diff"],
    ["compare-graph", "compare?jobs=fares_0,fares_1&tab=graph&step=train%2Fboosted_trees", ".reasons"],
    ["sweep", "jobs/boosting", ".trial-table tbody tr"],
  ]) {
    await page.goto(`${PAGES}/${path}`);
    await page.locator(ready).first().waitFor();
    await shoot(page, name);
  }
  await page.goto(`${PAGES}/jobs`);
  await page.getByRole("row").nth(5).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Find a job or command" }).fill("digits");
  await page.getByRole("listbox").getByRole("option").nth(1).waitFor();
  await shoot(page, "palette");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.goto(`${PAGES}/jobs/fares_1`);
  await page.locator(".excerpt-line").first().waitFor();
  await shoot(page, "phone");
});
