// The sheet goes to the printer.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
