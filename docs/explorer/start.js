// Starts the parts of the page; what goes wrong is said at its top, and the other parts work on.
"use strict";

(function (root) {
  function trouble(error) {
    const place = document.getElementById("trouble");
    const complaint = String((error && error.message) || error);
    // of scripts from file:// a browser tells a page no more than this
    place.textContent = `This page has an error: ${complaint === "Script error." ? "see the browser's console" : complaint}`;
    place.hidden = false;
  }

  root.addEventListener("error", (event) => trouble(event.error || event.message));
  root.addEventListener("unhandledrejection", (event) => trouble(event.reason));
  for (const part of ["basesView", "edgeView", "networkView", "trainingView", "address"]) {
    try {
      root.KAN[part].start();
    } catch (error) {
      trouble(error);
      root.console.error(error);
    }
  }
})(globalThis);
