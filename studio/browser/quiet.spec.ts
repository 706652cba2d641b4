import type { Page, Request } from "@playwright/test";
import { call, expect, open, PAGES, submit, submitPipeline, test, waitForEnd, WORKSPACE } from "./rig";
import { writeProject } from "./designer_rig";

const SECONDS = Number(process.env.QUIET_SECONDS ?? 10);
const STORE = "azureml://datastores/workspaceblobstore/paths";
const put = (path: string, properties: object) => call("PUT", `${WORKSPACE}/${path}`, { properties });

test("a page asks nothing while nothing runs, but for one stream of changes", async ({ browser }) => {
  test.setTimeout(240_000);
  for (const name of ["one", "two"]) await submit(name, "echo said");
  await submitPipeline("whole", { make: { command: "echo 1 > ${{outputs.made}}/t.csv", outputs: ["made"] }, use: { command: "ls ${{inputs.made}}", inputs: { made: "${{parent.jobs.make.outputs.made}}" } } });
  await put("jobs/swept", {
    jobType: "Sweep", trial: { command: "echo ${{search_space.rate}}", environmentId: "azureml:host@latest" }, searchSpace: { rate: ["choice", [[1, 2]]] }, samplingAlgorithm: { samplingAlgorithmType: "Grid" },
    objective: { goal: "minimize", primaryMetric: "loss" }, limits: { jobLimitsType: "Sweep", maxTotalTrials: 2, maxConcurrentTrials: 2 },
  });
  for (const name of ["one", "two", "whole", "swept"]) await waitForEnd(name);
  await put("data/prices/versions/1", { dataType: "uri_folder", dataUri: `${STORE}/prices/` });
  await put("models/fitted/versions/1", { modelType: "custom_model", modelUri: `${STORE}/fitted/` });
  await put("components/train/versions/1", { isAnonymous: false, componentSpec: { type: "command", name: "train", version: "1", command: "true", environment: "azureml:host@latest" } });
  await put("environments/server/versions/1", { image: "python:3.11" });
  await call("PUT", `${WORKSPACE}/onlineEndpoints/words`, { location: "local", properties: { authMode: "Key" } });
  await call("PUT", `${WORKSPACE}/batchEndpoints/nightly`, { location: "local", properties: { authMode: "AADToken" } });
  await call("PUT", `/smalt/v1${WORKSPACE}/drafts/quiet`, { text: "type: pipeline\njobs:\n  a:\n    command: echo\n    environment: azureml:host@latest\n", folder: null, positions: {} });
  const file = writeProject("quiet");

  const paths = [
    "jobs", "jobs?group=experiment", ...["summary", "log", "data", "metrics", "code", "body"].map((tab) => `jobs/one?tab=${tab}`), "jobs/whole", "jobs/whole?view=timeline", "jobs/whole?node=make&tab=log", "jobs/swept",
    ...["summary", "metrics", "code", "environment", "graph"].map((tab) => `compare?jobs=one,two&tab=${tab}`), "designer", "designer?new=1", "designer?draft=quiet", `designer?file=${encodeURIComponent(file)}`,
    "data", "data/prices", "data/prices?tab=lineage", "models", "models/fitted", "components", "components/train", "environments", "environments/server", "datastores", "datastores/workspaceblobstore",
    "endpoints", "endpoints/online/words", "endpoints/online/words?tab=log", "endpoints/batch/nightly", "schedules", "computes", "computes/local", "disk",
  ];
  const asked = new Map<string, string[]>();
  const pages: Page[] = [];
  const streams = new Map<string, Set<Request>>();
  let last = Date.now();
  const watch = (own: Page, path: string) => own.on("request", (one) => asked.set(path, [...(asked.get(path) ?? []), one.url()]));
  for (const [k, path] of paths.entries()) {
    // Browsers open six connections to a server, and each of these pages may keep one.
    const context = k % 4 ? pages[k - 1].context() : await browser.newContext();
    const own = await context.newPage();
    const waiting = new Set<Request>();
    streams.set(path, waiting);
    own.on("request", (one) => (waiting.add(one), (last = Date.now())));
    for (const end of ["requestfinished", "requestfailed"] as const) own.on(end as "requestfinished", (one) => waiting.delete(one));
    await (k % 4 ? own.goto(`${PAGES}/${path}`) : open(own, path));
    await own.locator("main").waitFor();
    pages.push(own);
  }
  // What was asked when they opened is answered, and documents are checked, however long that takes.
  await expect.poll(() => Date.now() - last, { timeout: 120_000 }).toBeGreaterThan(6000);
  pages.forEach((own, k) => watch(own, paths[k]));
  await new Promise((resolve) => setTimeout(resolve, 1000 * SECONDS));
  expect(Object.fromEntries(asked)).toEqual({});
  for (const [k, own] of pages.entries()) {
    await expect(own.locator("main"), paths[k]).not.toContainText(/there is no|does not answer/);
    const open = [...streams.get(paths[k])!].map((one) => one.url());
    expect(open.length, `${paths[k]} waits for ${open.join(" and ")}`).toBeLessThanOrEqual(1);
    for (const url of open) expect(url).toContain("/changes");
  }

  await submit("runs", "sleep 600");
  await pages[0].goto(`${PAGES}/jobs/runs?tab=metrics`);
  asked.clear();
  await expect.poll(() => (asked.get(paths[0]) ?? []).filter((url) => url.includes("/metrics?")).length).toBeGreaterThan(1); // the same watch sees what is asked while a job runs
  await call("POST", `${WORKSPACE}/jobs/runs/cancel`);
});
