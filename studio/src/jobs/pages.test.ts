import { expect, test, vi } from "vitest";
import type { JobRow } from "../api/types";
import { JobPages, PAGE_SIZE } from "./pages";

const row = (name: string, more: Partial<JobRow> = {}): JobRow => ({
  name, display_name: null, experiment: "e", type: "command", status: "Running", owner: "me", created: 0, start: null,
  end: null, archived: false, error: null, ...more,
});

function table(total: number) {
  const load = vi.fn(async (skip: number, limit: number) => ({
    total,
    after: 1,
    jobs: Array.from({ length: Math.max(0, Math.min(limit, total - skip)) }, (_, k) => row(`job${skip + k}`)),
  }));
  return { load, pages: new JobPages(load) };
}

test("only the pages that the window shows are loaded, each once", async () => {
  const { load, pages } = table(100_000);
  pages.show(50_020, 50_150);
  pages.show(50_020, 50_150);
  await vi.waitFor(() => expect(pages.getRow(50_150)?.name).toBe("job50150"));
  expect(load.mock.calls.map(([skip]) => skip)).toEqual([50_000, 50_100]);
  expect(pages.total).toBe(100_000);
  expect(pages.getRow(0)).toBeUndefined();
});

test("a changed row is replaced where it stands, and one that is not there is told", async () => {
  const { pages } = table(3);
  pages.show(0, 2);
  await vi.waitFor(() => expect(pages.total).toBe(3));
  expect(pages.update([row("job1", { status: "Completed" })], 2)).toBe(false);
  expect([0, 1, 2].map((k) => pages.getRow(k)?.status)).toEqual(["Running", "Completed", "Running"]);
  expect(pages.update([row("new")], 3)).toBe(true);
});

test("a page that is scrolled past before it came is not loaded on", async () => {
  const signals: AbortSignal[] = [];
  const pages = new JobPages((_skip, _limit, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  pages.show(0, 10);
  pages.show(PAGE_SIZE * 9, PAGE_SIZE * 9 + 10);
  expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
});

test("an error is kept until the next page comes", async () => {
  let isBroken = true;
  const pages = new JobPages(async () => {
    if (isBroken) throw new Error("the server does not answer");
    return { total: 0, after: 1, jobs: [] };
  });
  pages.show(0, 10);
  await vi.waitFor(() => expect(pages.error?.message).toBe("the server does not answer"));
  isBroken = false;
  pages.refresh();
  await vi.waitFor(() => expect(pages.error).toBeNull());
});

test("a page that a change overtook is loaded again", async () => {
  const answers = [{ total: 1, after: 4, jobs: [row("a", { status: "Running" })] }, { total: 1, after: 6, jobs: [row("a", { status: "Completed" })] }];
  const pages = new JobPages(async () => answers.shift()!);
  pages.update([], 5);
  pages.show(0, 10);
  await vi.waitFor(() => expect(pages.getRow(0)?.status).toBe("Completed"));
  expect([pages.after, answers.length]).toEqual([6, 0]);
});
