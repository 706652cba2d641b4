const LIGHT = ["#2347c5", "#c2410c", "#0f766e", "#a21caf", "#4d7c0f", "#be123c", "#0369a1", "#854d0e"];
const DARK = ["#8ea6ff", "#ffa26b", "#4fd1c0", "#f0a0ff", "#b5df6a", "#ff8fa0", "#74c7ff", "#f2c14e"];

export function listColours(): string[] {
  return document.documentElement.dataset.theme === "dark" ? DARK : LIGHT;
}
