// To be imported before all else: a WebKit browser on a system that has set no language (LANG=C.UTF-8) says that it is "C", which is no language tag, and uPlot, which
// asks how numbers are written there as soon as it is loaded, throws. Nothing would be shown.
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en" });
}
