import { createHash } from "node:crypto";
import AxeBuilder from "@axe-core/playwright";
import axe, { type Result, type RunOptions } from "axe-core";
import { test as base, expect, type Page } from "@playwright/test";

/** What tests/studio/test_browser.py says of the server that it started. */
export const URL = process.env.STUDIO_URL!;
export const TOKEN = process.env.STUDIO_TOKEN!;
export const WORKSPACE = process.env.STUDIO_WORKSPACE!;

/** The path of a workspace's pages: its folder is the last part of the page's address. */
export const PAGES = `${URL}/studio/${process.env.STUDIO_FOLDER}`;

/** Call the server as a program does, with its token. */
export async function call(method: string, path: string, body?: unknown): Promise<any> {
  const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(URL + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

/** Submit a job that needs no environment. */
export function submit(name: string, command: string, more: object = {}): Promise<unknown> {
  const properties = { jobType: "Command", command, environmentId: "azureml:host@latest", ...more };
  return call("PUT", `${WORKSPACE}/jobs/${name}`, { properties });
}

export interface Step {
  command: string;
  inputs?: Record<string, string>;
  outputs?: string[];
  /** The id of its code. */
  code?: string;
}

/** Submit a pipeline; an input is an expression or a number. */
export function submitPipeline(name: string, steps: Record<string, Step>, more: object = {}): Promise<unknown> {
  const jobs = Object.fromEntries(
    Object.entries(steps).map(([step, { command, inputs = {}, outputs = [], code }]) => {
      const isData = (value: string) => value.startsWith("${{parent.jobs");
      const component = {
        type: "command", name: "c", version: "1", environment: "azureml:host@latest", command, code,
        inputs: Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, { type: isData(value) ? "uri_folder" : "string" }])),
        outputs: Object.fromEntries(outputs.map((key) => [key, { type: "uri_folder" }])),
      };
      const bound = Object.entries(inputs).map(([key, value]) => [key, isData(value) ? { job_input_type: "uri_folder", uri: value } : { job_input_type: "literal", value }]);
      const made = outputs.map((key) => [key, { job_output_type: "uri_folder" }]);
      return [step, { type: "command", component, inputs: Object.fromEntries(bound), outputs: Object.fromEntries(made) }];
    }),
  );
  return call("PUT", `${WORKSPACE}/jobs/${name}`, { properties: { jobType: "Pipeline", jobs, ...more } });
}

/** Store files of code, and return the id of it. */
export async function putCode(files: Record<string, string>): Promise<string> {
  const manifest = [];
  for (const [path, text] of Object.entries(files)) {
    const sha256 = createHash("sha256").update(text).digest("hex");
    const answer = await fetch(`${URL}/smalt/v1/blobs/${sha256}`, { method: "PUT", headers: { authorization: `Bearer ${TOKEN}` }, body: text });
    if (!answer.ok) throw new Error(await answer.text());
    manifest.push({ path, sha256, size: Buffer.byteLength(text) });
  }
  return (await call("POST", `/smalt/v1${WORKSPACE}/snapshots`, { manifest })).codeId;
}

export async function waitForEnd(name: string): Promise<string> {
  for (;;) {
    const { properties } = await call("GET", `${WORKSPACE}/jobs/${name}`);
    if (["Completed", "Failed", "Canceled"].includes(properties.status)) return properties.status;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Sign the page in by a new one-time code, and open a path below the workspace. */
export async function open(page: Page, path: string): Promise<void> {
  const { code } = await call("POST", "/smalt/v1/studio/codes", {});
  const [place, query = ""] = path.split("?");
  await page.goto(`${PAGES}/${place}${query ? `?${query}` : ""}#code=${code}`);
}

/** The rules that look at colours: of these alone the scheme changes the answer. */
const OF_COLOURS = ["color-contrast", "link-in-text-block"];

/** No serious violation of WCAG A and AA in light, and none of its rules of colours in dark. */
export async function checkAccess(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const runOnly: RunOptions["runOnly"] = colorScheme === "light" ? { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] } : { type: "rule", values: OF_COLOURS };
    const violations = await findViolations(page, { runOnly, resultTypes: ["violations"] });
    const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    expect(serious.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`)).toEqual([]);
  }
}

/** Run axe. Its half a megabyte is sent once to a document: AxeBuilder, which looks into frames, sends it each time. */
async function findViolations(page: Page, options: RunOptions): Promise<Result[]> {
  if (page.frames().length > 1) return (await new AxeBuilder({ page }).options(options).analyze()).violations;
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(async (options) => {
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, options);
    return violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => ({ html })) })) as Result[];
  }, options);
}

/** A test that fails if the page logs an error, breaks its own policy or asks another server. */
export const test = base.extend<{ watched: void }>({
  watched: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => message.type() === "error" && !/status of (400|401|403|404|409|416|424)|frame is sandboxed|violates the following Content Security Policy directive: "default-src 'none'"/.test(message.text()) && faults.push(message.text()));
      page.on("request", (request) => !request.url().startsWith(URL) && !/^(data|blob):/.test(request.url()) && faults.push(`asked ${request.url()}`));
      await use();
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };
