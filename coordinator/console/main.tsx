// Where the console begins in the browser.
import "./language-tag.ts";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";

// A file that is dropped where nothing takes it would be opened in the console's place.
for (const type of ["dragover", "drop"] as const)
  window.addEventListener(type, (event) => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "none";
  });

const root = document.getElementById("root");
if (root) createRoot(root).render(<App />);
