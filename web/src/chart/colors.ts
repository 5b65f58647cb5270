/** Return the theme's colours for what is drawn on a canvas. */
export function colors() {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    panel: of("--panel"),
    text: of("--dim"),
    line: of("--line"),
    up: of("--up"),
    down: of("--down"),
    accent: of("--accent"),
    series: [of("--series-1"), of("--series-2"), of("--series-3"), of("--series-4")],
  };
}
