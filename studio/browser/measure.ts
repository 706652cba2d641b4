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

test("curve", async ({ page }) => {
  await watch(page);
  for (const [name, how] of [["curve", "at once"], ["curve-2", "after the pointer was over the tab for 100 ms"], ["curve-3", "at once"], ["curve-old", "at once, without a file of it"]]) {
    await open(page, `jobs/${name}`);
    await page.locator("#tab-metrics").waitFor();
    await page.waitForTimeout(700);
    for (const round of [how, "again"]) {
      const asked = page.waitForResponse((one) => one.url().includes(`/jobs/${name}/metrics`));
      await page.evaluate((isAhead) => {
        const tab = document.querySelector("#tab-metrics") as HTMLElement;
        if (isAhead) tab.dispatchEvent(new PointerEvent("pointerover", { bubbles: true }));
        return new Promise<void>((resolve) => setTimeout(() => {
          (window as any).begin();
          tab.click();
          resolve();
        }, isAhead ? 100 : 0));
      }, round.startsWith("after the pointer"));
      const shown = await until(page, ".curve canvas");
      const answer = await asked;
      await answer.finished();
      const { responseEnd, requestStart } = answer.request().timing();
      tell(`a curve of 100,000 points, from the click, ${round}`, shown);
      tell(`its ${Math.round((await answer.body()).length / 1000)} KB asked and received`, responseEnd - requestStart);
      await page.locator("#tab-summary").click();
      await page.locator(".facts").first().waitFor();
    }
  }
});

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

const STEPS = 500;

/** A pipeline of commands, each of which takes the data of one or two before it. */
function writePipeline(): string {
  const steps = Array.from({ length: STEPS }, (_, k) => {
    const sources = k ? [...new Set([k - 1 - ((k * 7) % Math.min(k, 9)), Math.max(0, k - 2 - ((k * 13) % 20))])] : [];
    const inputs = sources.map((from, at) => `      data_${at}: {type: uri_folder, path: "\${{parent.jobs.step_${from}.outputs.made}}"}\n`);
    return `  step_${k}:  # number ${k}\n    type: command\n    command: python run.py --rate \${{inputs.rate}} --out \${{outputs.made}}\n    environment: azureml:host@latest\n    inputs:\n${inputs.join("")}      rate: ${k / 10}\n      rounds: ${k}\n    outputs:\n      made: {type: uri_folder}\n`;
  });
  return `type: pipeline\ndisplay_name: large\njobs:\n${steps.join("")}`;
}

/** Times from keys to the frame after them, and intervals between all frames, while something is done. */
async function watchFrames(page: Page, work: () => Promise<void>): Promise<{ keys: number[]; frames: number[] }> {
  await page.evaluate(() => {
    const state = { keys: [] as number[], frames: [] as number[], isOver: false };
    let last = performance.now();
    const tick = (now: number) => {
      state.frames.push(now - last);
      last = now;
      if (!state.isOver) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const press = () => {
      const from = performance.now();
      requestAnimationFrame(() => setTimeout(() => state.keys.push(performance.now() - from)));
    };
    window.addEventListener("keydown", press, true);
    Object.assign(window, { endFrames: () => (window.removeEventListener("keydown", press, true), (state.isOver = true), state) });
  });
  await work();
  const { keys, frames } = await page.evaluate(() => (window as any).endFrames() as { keys: number[]; frames: number[] });
  return { keys: keys.sort((a, b) => a - b), frames: frames.slice(2).sort((a, b) => a - b) };
}

const p95 = (sorted: number[]) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.95))];

test("the designer", async ({ page }) => {
  await call("PUT", `/smalt/v1${WORKSPACE}/drafts/large`, { text: writePipeline(), folder: null, positions: {} });
  await watch(page);
  await open(page, "designer?draft=large");
  await until(page, "[data-step]");
  await page.reload();
  tell(`designer: a pipeline of ${STEPS} steps, from the navigation`, await until(page, "[data-step]"));
  await page.locator(".badge.look-completed, .draw-state").first().waitFor();
  const name = (await page.locator("[data-step]").nth(5).getAttribute("data-step"))!;
  const step = page.locator(`[data-step="${name}"]`);
  const shown = await page.locator("[data-step]").count();
  const box = (await step.boundingBox())!;
  const drag = await watchFrames(page, async () => {
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    for (let k = 1; k <= 60; k++) await page.mouse.move(box.x + box.width / 2 + k * 2, box.y + box.height / 2 + 20 * Math.sin(k / 6));
    await page.mouse.up();
  });
  tell(`designer: dragging a node, ${shown} nodes seen, frame p95`, p95(drag.frames));
  tell("designer: dragging a node, the longest frame", drag.frames.at(-1)!);
  await page.evaluate((one) => {
    document.querySelector<HTMLElement>(`[data-step="${one}"]`)!.closest<HTMLElement>(".react-flow__node")!.focus();
  }, name);
  await page.keyboard.press("Enter");
  await page.locator(`section[aria-label="Step ${name}"]`).waitFor();
  const field = page.locator(`section[aria-label="Step ${name}"]`).getByLabel("Command", { exact: true });
  await field.click();
  await field.press("End");
  const form = await watchFrames(page, () => field.pressSequentially(" --more 1234567890 --words abcdef", { delay: 40 }));
  tell("designer: a key in a form, to its frame, p95", p95(form.keys));
  const taken = await watchFrames(page, async () => {
    for (const text of ["1.5", "2.5", "3.5", "4.5", "5.5"]) {
      const rate = page.locator(`section[aria-label="Step ${name}"]`).getByLabel("value of rate", { exact: true });
      await rate.fill(text);
      await rate.press("Enter");
      await page.waitForTimeout(700); // the check of the server, and what follows it
    }
  });
  tell("designer: Enter in a form, to the frame with the change, p95", p95(taken.keys));
  tell("designer: after it, the longest frame", taken.frames.at(-1)!);
  await page.locator(".cm-content").click();
  await page.keyboard.press("End");
  const typed = await watchFrames(page, async () => {
    await page.keyboard.type("  # a remark of some length", { delay: 60 });
    await page.waitForTimeout(1000);
  });
  tell("designer: a key in the YAML, to its frame, p95", p95(typed.keys));
  tell("designer: after it, the longest frame", typed.frames.at(-1)!);
});
