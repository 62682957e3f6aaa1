// Light or dark, before anything is drawn: the server says what the person chose, "auto" follows the device.
{
  const root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
  const dress = () => {
    const isDark = root.dataset.look === "dark" || (root.dataset.look === "auto" && dark.matches);
    root.dataset.bsTheme = isDark ? "dark" : "light";
  };
  dark.addEventListener("change", dress);
  new MutationObserver(dress).observe(root, { attributeFilter: ["data-look"] });
  dress();
}
