import { createRoot } from "react-dom/client";
import { App } from "./shell/App";
import { applyTheme } from "./shell/theme";
import "./shell/base.css";
import "./shell/shell.css";

applyTheme();
createRoot(document.getElementById("root")!).render(<App />);
