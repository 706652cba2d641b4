import { existsSync } from "node:fs";
import { test } from "@playwright/test";
import { open, PAGES } from "./rig";

/** Three pages that look at a job, until the benchmark (bench/watched.py) has measured it. */
test("three pages", async ({ page, context }) => {
  const { STUDIO_JOB: name, STUDIO_SEEN: seen } = process.env;
  context.on("request", (one) => console.log(`ASKED ${Date.now()} ${one.url()} ${one.headers().range ?? ""}`));
  await open(page, "jobs");
  await page.locator(".job-row .badge").first().waitFor();
  const graph = await context.newPage();
  await graph.goto(`${PAGES}/jobs/${name}`);
  await graph.locator(".node").first().waitFor();
  const log = await context.newPage();
  await log.goto(`${PAGES}/jobs/${name}?node=hold0&tab=log`);
  await log.getByText("waiting", { exact: true }).waitFor();
  console.log("OPEN");
  while (!existsSync(seen!)) await page.waitForTimeout(200);
});
