import { createRoot } from "react-dom/client";
import { App } from "./shell/App";
import { applyTheme } from "./shell/theme";
import "./shell/base.css";
import "./shell/shell.css";

// The code of a page does not load after the network changed or the server was upgraded: load the studio again, once.
const reloaded = "smalt-reloaded";
addEventListener("vite:preloadError", (event) => {
  if (sessionStorage.getItem(reloaded) === location.href) return;
  sessionStorage.setItem(reloaded, location.href);
  event.preventDefault();
  location.reload();
});

applyTheme();
createRoot(document.getElementById("root")!).render(<App />);
