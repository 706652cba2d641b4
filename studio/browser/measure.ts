import { test, type Page } from "@playwright/test";
import { call, open, PAGES, submit, WORKSPACE } from "./rig";

/** Milliseconds from the beginning of the page's load, or from `begin()`, until an element is there, told by the page itself. */
async function watch(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const state = { from: 0 };
    Object.assign(window, {
      begin: () => (state.from = performance.now()),
      until: (selector: string, text = "") =>
        new Promise<number>((resolve) => {
          const look = () => ([...document.querySelectorAll(selector)].some((one) => one.textContent!.includes(text)) ? resolve(performance.now() - state.from) : requestAnimationFrame(look));
          look();
        }),
    });
  });
}

const until = (page: Page, selector: string, text = "") => page.evaluate(([one, other]) => (window as any).until(one, other) as Promise<number>, [selector, text]);
const begin = (page: Page) => page.evaluate(() => (window as any).begin());
const tell = (name: string, value: number, unit = "ms") => console.log(`FIGURE ${name} | ${Math.round(value)} | ${unit}`);

/** The intervals between frames while the graph is moved, and the nodes that are seen at the end. */
async function pan(page: Page): Promise<{ p95: number; nodes: number }> {
  const box = (await page.locator(".graph").boundingBox())!;
  await page.evaluate(() => {
    const frames: number[] = ((window as any).frames_ = []);
    let last = performance.now();
    const tick = (now: number) => (frames.push(now - last), (last = now), requestAnimationFrame(tick));
    requestAnimationFrame(tick);
  });
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  for (let k = 0; k < 90; k++) await page.mouse.move(box.x + box.width / 2 + 120 * Math.sin(k / 8), box.y + box.height / 2 - k);
  await page.mouse.up();
  const frames = await page.evaluate(() => ((window as any).frames_ as number[]).slice(2));
  frames.sort((a, b) => a - b);
  return { p95: frames[Math.floor(frames.length * 0.95)], nodes: await page.locator(".node").count() };
}

test("figures", async ({ page, browser }) => {
  await watch(page);
  await open(page, "jobs");
  await until(page, ".job-row .badge");
  await page.reload();
  tell("first rows of 100,000 jobs, from the navigation", await until(page, ".job-row .badge"));
  const scripts = await page.evaluate(() => performance.getEntriesByType("resource").filter((one) => one.name.endsWith(".js")).map((one) => new URL(one.name).pathname));
  console.log(`SCRIPTS ${scripts.join(" ")}`);
  await begin(page);
  await page.locator(".filter-bar").getByRole("button", { name: "Experiment" }).click();
  const choice = page.locator(".choice").filter({ hasText: "experiment-17" }).locator("input");
  await choice.waitFor();
  await begin(page);
  await choice.check();
  tell("filter by experiment, from the click", await until(page, ".page-head .number", "1,000 jobs"));
  await page.goto(`${PAGES}/jobs`);
  await until(page, ".job-row .badge");
  await page.getByRole("searchbox").pressSequentially("job-9999");
  await begin(page);
  await page.getByRole("searchbox").press("7");
  tell("search by a name, from the last key (150 are waited)", await until(page, ".page-head .number", "1 job"));
  await page.goto(`${PAGES}/jobs?metric=loss`);
  await until(page, ".job-row .badge");
  await page.locator(".filter-bar").getByRole("button", { name: "Metric" }).click();
  await page.getByLabel("Metric", { exact: true }).fill("loss");
  await page.getByLabel("Number").fill("0.01");
  await page.evaluate(() => {
    (window as any).begin();
    (document.querySelector(".condition-form button") as HTMLElement).click();
  });
  tell("filter by a metric, from the click", await until(page, ".page-head .number", "1,000 jobs"));
  await page.goto(`${PAGES}/jobs?metric=loss`);
  await until(page, ".job-row .badge");
  await page.evaluate(() => {
    (window as any).begin();
    ([...document.querySelectorAll(".head .metric-cells button")].at(-1) as HTMLElement).click();
  });
  tell("sort by a metric, from the click", await until(page, ".metric-cells .cell", "0.99999"));
  await page.goto(`${PAGES}/jobs`);
  await until(page, ".job-row .badge");
  await begin(page);
  await page.locator(".job-rows").evaluate((one) => one.scrollTo(0, one.scrollHeight));
  tell("jump to the last row", await until(page, ".job-row .name", "job-0"));
  for (const count of [1000, 3000]) {
    await page.goto(`${PAGES}/jobs/graph-${count}`);
    tell(`graph of ${count.toLocaleString("en-US")} steps, from the navigation`, await until(page, ".node, .graph canvas[width]"));
    await until(page, ".node");
    const near = await pan(page);
    tell(`panning it near, ${near.nodes} nodes seen, p95`, near.p95);
    await page.getByRole("button", { name: "Show all" }).click();
    const far = await pan(page);
    tell(`panning it whole, ${count.toLocaleString("en-US")} on the canvas, p95`, far.p95);
  }
  await page.goto(`${PAGES}/jobs/log-1gb`);
  await page.getByRole("tab", { name: "Log" }).waitFor();
  await page.evaluate(() => {
    (window as any).begin();
    (document.querySelector("#tab-log") as HTMLElement).click();
  });
  tell("a log of 1 GB at its end, from the click", await until(page, ".log-line", "the last line"));
  const latencies: number[] = [];
  await page.goto(`${PAGES}/jobs/graph-1000`);
  await until(page, ".node");
  for (let k = 0; k < 5; k++) {
    const name = `seen_${k}`;
    await submit(name, "sleep 0.5; date +%s%N >/dev/null");
    await page.goto(`${PAGES}/jobs/${name}`);
    await until(page, ".job-title .badge", "Completed");
    const seen = await page.evaluate(() => performance.timeOrigin + performance.now());
    const row = (await call("GET", `/smalt/v1${WORKSPACE}/jobs/${name}/graph`)).jobs[0];
    latencies.push(seen - row.end * 1000);
  }
  tell("the end of a job seen, after it was recorded (the median of 5)", latencies.sort((a, b) => a - b)[2]);
  const quiet = await (await browser.newContext()).newPage();
  await open(quiet, "jobs");
  await quiet.locator(".job-row .badge").first().waitFor();
  await quiet.waitForTimeout(2000);
  const asked: string[] = [];
  quiet.on("request", (one) => asked.push(one.url()));
  await quiet.waitForTimeout(20_000);
  tell("requests of a page in 20 s while nothing runs", asked.length, "requests");
});
