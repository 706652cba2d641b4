import { defineConfig } from "@playwright/test";
import own from "./playwright.config";

export default defineConfig({ ...own, testMatch: "watched.ts", timeout: 180_000 });
